// A card in JupyterLab's launcher, and a command, that open flownb's console in a tab of the browser.
//
// Written by hand as the container that JupyterLab expects of a federated extension, so that nothing has to be built:
// `init` is given the modules that JupyterLab shares, `get` answers with a factory of the extension.
"use strict";

(() => {
  const COMMAND = "flownb:open-console";
  const ICON =
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><g class="jp-icon3" fill="#616161">' +
    '<rect x="3" y="3" width="8" height="6" rx="1"/><rect x="13" y="15" width="8" height="6" rx="1"/>' +
    '<path d="M11 5h6a2 2 0 0 1 2 2v6h-2V7h-6zM6 11h2v6h3v2H8a2 2 0 0 1-2-2z"/></g></svg>';

  let shared = {};

  // A module that JupyterLab shares, in the version that it has loaded itself; undefined where it shares none.
  async function module(name) {
    const versions = Object.values(shared[name] ?? {});
    const chosen = versions.find((version) => version.loaded) ?? versions[0];
    return chosen && (await chosen.get())();
  }

  async function plugin() {
    const [launchers, apputils, components] = await Promise.all(
      ["@jupyterlab/launcher", "@jupyterlab/apputils", "@jupyterlab/ui-components"].map(module),
    );
    const tokens = [launchers?.ILauncher, apputils?.ICommandPalette].filter(Boolean);
    return {
      id: "flownb:console",
      description: "Opens flownb's console.",
      autoStart: true,
      optional: tokens,
      activate: (app, ...found) => {
        const of = (token) => (token ? found[tokens.indexOf(token)] : null);
        app.commands.addCommand(COMMAND, {
          label: "flownb console",
          caption: "Workflows: what runs, what waits, what came of it",
          icon: components && new components.LabIcon({ name: "flownb:console", svgstr: ICON }),
          execute: () => {
            window.open(`${app.serviceManager.serverSettings.baseUrl}flownb/`, "_blank", "noopener");
          },
        });
        of(launchers?.ILauncher)?.add({ command: COMMAND, category: "Other" });
        of(apputils?.ICommandPalette)?.addItem({ command: COMMAND, category: "flownb" });
      },
    };
  }

  window._JUPYTERLAB = window._JUPYTERLAB ?? {};
  window._JUPYTERLAB.flownb = {
    init: (scope) => {
      shared = scope;
    },
    get: async () => {
      const made = await plugin();
      return () => ({ __esModule: true, default: made });
    },
  };
})();
