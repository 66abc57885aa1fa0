// Keeps a page up to date while somebody reads it. Everything works without it, by loading the page again.
"use strict";

const main = document.getElementById("main");
const connection = document.getElementById("connection");
const PAUSE = 500; // ms in which changes are gathered
const LISTS = "main, [data-keyed]"; // whose children are parts, known by their ids
const AGAIN = 5000; // ms before a stream that was refused is tried again

// What the server sent for each part, to tell what has changed: the page itself also changes by use.
const sources = new WeakMap();
const source = (element) => element.outerHTML.replace(/name="_xsrf" value="[^"]*"/g, "");
const remember = (element) => {
  if (element.matches(LISTS)) [...element.children].forEach(remember);
  else sources.set(element, source(element));
};

const chosen = (select) => Math.max(0, [...select.options].findIndex((option) => option.defaultSelected));
const TOUCHED = {
  hidden: () => false,
  checkbox: (field) => field.checked !== field.defaultChecked,
  "select-one": (field) => field.selectedIndex !== chosen(field),
};
const isTouched = (field) => (TOUCHED[field.type] ?? ((other) => other.value !== other.defaultValue))(field);
const FIELDS = "input, select, textarea";
const busy = (element) =>
  (element.contains(document.activeElement) && document.activeElement.matches(FIELDS)) ||
  [...element.querySelectorAll(FIELDS)].some(isTouched);

// Brings `old` to the state of `fresh`: part by part, and never a part that somebody is filling in.
function update(old, fresh) {
  if (old.matches(LISTS) && fresh.matches(LISTS)) merge(old, fresh);
  else if (sources.get(old) !== source(fresh)) replace(old, fresh);
}

function merge(old, fresh) {
  const before = new Map([...old.children].map((child) => [child.id, child]));
  let place = old.firstElementChild;
  for (const child of [...fresh.children]) {
    const there = before.get(child.id);
    before.delete(child.id);
    if (there) {
      if (there === place) place = place.nextElementSibling;
      else old.insertBefore(there, place);
      update(there, child);
    } else {
      const added = document.importNode(child, true);
      old.insertBefore(added, place);
      remember(added);
    }
  }
  for (const gone of before.values()) {
    if (busy(gone)) stale(gone);
    else gone.remove();
  }
}

function replace(old, fresh) {
  if (busy(old)) return stale(old);
  const added = document.importNode(fresh, true);
  old.querySelectorAll("details[id]").forEach((one) => {
    const same = added.querySelector(`#${CSS.escape(one.id)}`);
    if (same) same.open = one.open;
  });
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  remember(added);
  old.replaceWith(added);
  if (focused) sameAs(focused, added)?.focus({ preventScroll: true });
}

// What stands where the focus was: the same by id, else the same by its words.
function sameAs(focused, added) {
  if (focused.id) return document.getElementById(focused.id);
  return [...added.querySelectorAll(focused.tagName)].find((one) => one.textContent === focused.textContent);
}

function stale(part) {
  if (part.querySelector(":scope > .stale") || part.tagName === "TR") return;
  const said = document.createElement("p");
  said.className = "notice warn stale";
  said.setAttribute("role", "status");
  said.textContent = "This has changed meanwhile. What you filled in is kept; load the page again to see what changed.";
  part.prepend(said);
}

let waiting = null;
let loading = false;
let missed = false;
function refresh() {
  if (loading) missed = true;
  else waiting ??= setTimeout(load, PAUSE);
}

async function load() {
  waiting = null;
  loading = true;
  missed = false;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    if (answer.ok && fresh) {
      fresh.querySelector("#said").replaceWith(document.getElementById("said").cloneNode(true));
      update(main, fresh);
      count();
      if (!fresh.hasAttribute("data-live")) rest();
    }
  } catch {
    // The stream of events is lost too then: when it is back, the page is loaded.
  }
  loading = false;
  if (missed) refresh();
}

function tell(words) {
  connection.hidden = !words;
  connection.textContent = words;
}

let stream = null;
function listen() {
  stream = new EventSource(main.dataset.events);
  stream.addEventListener("open", () => {
    refresh(); // for what happened before there was a stream
    tell("");
  });
  stream.addEventListener("execution", (event) => {
    const only = main.dataset.live;
    if (!only || JSON.parse(event.data).execution === only) refresh();
  });
  stream.addEventListener("error", ({ target }) => {
    tell("The connection to the server is lost. This page may be out of date; trying again …");
    if (target.readyState === EventSource.CLOSED && target === stream) setTimeout(again, AGAIN);
  });
}

function rest() {
  stream?.close();
  stream = null;
  tell("");
}

function again() {
  if (stream?.readyState === EventSource.CLOSED) listen();
}

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

// A span of time in its two largest units, as the server says them.
function span(seconds) {
  const first = UNITS.findIndex(([unit]) => seconds >= unit);
  const counted = UNITS.map(([unit, word], place) => {
    const whole = place ? seconds % UNITS[place - 1][0] : seconds;
    return [Math.floor(whole / unit), word];
  });
  return counted.slice(first, first + 2).filter(([number]) => number).map((one) => one.join(" ")).join(" ");
}

function count() {
  for (const one of document.querySelectorAll("time[data-countdown]")) {
    const left = Math.round((new Date(one.dateTime) - Date.now()) / 1000);
    one.textContent = left < 1 ? "(due now)" : `(in ${span(left)})`;
  }
}

remember(main);
count();
setInterval(count, 1000);

// The words about the last action are not told again when the page is loaded again.
const address = new URL(location.href);
address.searchParams.delete("said");
history.replaceState(null, "", address);

if (main.hasAttribute("data-live")) {
  listen();
  // A browser has few connections to one server: pages that nobody looks at give theirs back.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      rest();
    } else {
      listen();
      refresh();
    }
  });
}
