"""LangGraph with SqliteSaver: a graph that is interrupted in its second node, and resumed in the same process."""

from __future__ import annotations

import time
from typing import TypedDict
from uuid import uuid4

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from benchmarks.peers.line import serve


class State(TypedDict, total=False):
    """What the nodes hand on."""

    total: int
    answer: str
    at: int


def main() -> None:
    graph = StateGraph(State)
    graph.add_node("make", lambda state: {"total": 42})
    graph.add_node("ask", lambda state: {"answer": interrupt("go on?")})
    graph.add_node("after", lambda state: {"at": time.time_ns()})
    graph.add_edge(START, "make")
    graph.add_edge("make", "ask")
    graph.add_edge("ask", "after")
    graph.add_edge("after", END)
    # WAL and synchronous=FULL, as the saver and SQLite have it by themselves.
    with SqliteSaver.from_conn_string("langgraph.sqlite") as saver:
        workflow = graph.compile(checkpointer=saver)

        def resume() -> float:
            """Milliseconds from ``Command(resume=...)`` to the first line of the next node."""
            config = {"configurable": {"thread_id": uuid4().hex}}
            workflow.invoke({}, config, durability="sync")
            began = time.time_ns()
            done = workflow.invoke(Command(resume="yes"), config, durability="sync")
            return float(done["at"] - began) / 1e6

        serve(resume=resume)


if __name__ == "__main__":
    main()
