"""The public page: what it says is what the log says, for everybody, without scripts, and nothing else is let in."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser

import httpx2
import pytest

from server.running import EPOCH, STREAM, World
from support.boards import START, MadeBoard
from tacit_protocol import checkpoint as notes
from tacit_protocol.audit_ledger import ANSWER_SECONDS
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.messages import QueryAuditAnswer, QueryAuditResult
from tacit_server.secretariat.console.facts import PageFacts, moment, page_facts
from tacit_server.secretariat.console.page import render

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """Checks the structure while it reads: every element is closed, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.text += " " if tag in ("dt", "dd", "th", "td") else ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


class Made:
    """A board with everything on it, and a checkpoint that two of three trustees have cosigned."""

    def __init__(self) -> None:
        self.made = MadeBoard("console").open()
        self.members = [self.made.member(), self.made.member()]
        self.grants = [self.made.grant_any(member) for member in self.members]
        self.made.window(*self.members)
        self.orders = [
            self.made.add(self.made.auditor, self.made.order(member, grant))
            for member, grant in zip(self.members, self.grants, strict=True)
        ]

    def note(self, *cosigners: int) -> Note:
        board, made = self.made.board(), self.made
        origin = notes.log_origin(made.secretariat_key)
        note = notes.sign_checkpoint(made.secretariat, Checkpoint(origin, board.size, board.tree.root()))
        lines = [
            notes.cosign(made.trustees[i], notes.witness_name(made.trustee_keys[i]), note.text, made.time - 90)
            for i in cosigners
        ]
        return note.with_signatures(lines)

    def facts(self, *cosigners: int, later: int = 0, note: bool = True) -> PageFacts:
        made = self.made
        shown = self.note(*cosigners) if note else None
        return page_facts(made.board(), made.group, shown, made.trustee_keys, made.time + later)


@pytest.fixture
def made() -> Made:
    return Made()


def test_the_page_says_what_the_log_says(made: Made) -> None:
    page = Page(render(made.facts(1, 3)))
    board = made.made.board()
    for part in (
        f"Entries {board.size}",
        board.tree.root().hex(),
        "2 of 3 trustees must have cosigned",
        "1 minute ago",
        "not yet",
        "Epoch 2026-h2 open",
        "65,536 evaluations",
        board.stream_keys(made.made.group, "2026-h2", "social-audit").public_key.hex()[:16],
        "window 1: 128 records",
        "waits for the answer",
    ):
        assert part in page.text, part


def test_query_audits_are_shown_by_pseudonym_and_state(made: Made) -> None:
    made.made.add(made.members[0], QueryAuditAnswer(made.orders[0], bytes(64)))
    made.made.add(made.made.auditor, QueryAuditResult(made.orders[0], "not-plausible", 1, 10, 5))
    states = {audit.entry: audit.state for audit in made.facts(1, 2).audits}
    assert states == {made.orders[0]: "not plausible", made.orders[1]: "waits for the answer"}
    facts = made.facts(1, 2, later=ANSWER_SECONDS)
    (late,) = [audit for audit in facts.audits if audit.late]
    assert late.entry == made.orders[1] and late.state == "no answer in time"
    assert late.member in Page(render(facts)).text


def test_no_supplier_and_no_number_of_a_member_alone_is_on_it(made: Made) -> None:
    from tacit_protocol import signing

    page = Page(render(dataclasses.replace(made.facts(1, 2, 3), audits=())))
    for member in made.members:
        assert signing.pseudonym(signing.public_bytes(member)) not in page.text


def test_a_log_without_checkpoint_epoch_or_trustees_has_its_page() -> None:
    empty = MadeBoard("empty")
    page = Page(render(page_facts(empty.board(), empty.group, None, {}, START)))
    for part in ("no checkpoint yet", "No trustee is registered", "No epoch was opened", "No auditor is appointed"):
        assert part in page.text


def test_entries_that_wait_for_the_witnesses_are_told(made: Made) -> None:
    note = made.note(1, 2)
    made.made.member()
    facts = page_facts(made.made.board(), made.made.group, note, made.made.trustee_keys, made.made.time)
    assert facts.waiting == 1 and "1 entry waits for the witnesses" in Page(render(facts)).text


def test_a_forged_cosignature_counts_as_none(made: Made) -> None:
    note = made.note(1, 2)
    name = notes.witness_name(made.made.trustee_keys[2])
    lines = tuple(
        dataclasses.replace(line, signature=line.signature[:-1] + bytes([line.signature[-1] ^ 1]))
        if line.name == name
        else line
        for line in note.signatures
    )
    facts = page_facts(made.made.board(), made.made.group, Note(note.text, lines), made.made.trustee_keys, START)
    assert [witness.cosigned is not None for witness in facts.witnesses] == [True, False, False]


def test_whatever_a_value_holds_is_text(made: Made) -> None:
    nasty = "<script>alert(1)</script>\" onload='x' &amp;"
    facts = made.facts(1, 2)
    epoch = dataclasses.replace(facts.epochs[0], name=nasty, erased=nasty)
    page = Page(render(dataclasses.replace(facts, epochs=[epoch], auditors=[nasty], origin=nasty)))
    assert page.all("script") == [] and page.text.count("alert(1)") >= 3
    assert not any(name and name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_the_structure_serves_readers_of_all_kinds(made: Made) -> None:
    page = Page(render(made.facts(1, 2)))
    assert page.all("html")[0]["lang"] == "en" and page.all("title")
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert "width=device-width" in str(page.all("meta"))
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a} <= set(ids)
    assert page.all("a")[0]["href"] == "#main"
    # What scrolls can be reached with the keyboard.
    assert all(box.get("tabindex") == "0" for box in page.all("div") if box.get("class") == "scroll")
    assert not any("style" in attributes for _, attributes in page.tags)
    links = [a.get("href") or "" for a in page.all("a") + page.all("link")]
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in links)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 seconds ago"), (-1, "1 second ago"), (-59, "59 seconds ago"), (-60, "1 minute ago"), (-7200, "2 hours ago"),
     (-86400, "1 day ago"), (90000, "in 1 day"), (172800, "in 2 days")],
)  # fmt: skip
def test_distances_are_told_in_words(seconds: int, words: str) -> None:
    assert moment(START + seconds, START).ago == words


# --- over HTTP ----------------------------------------------------------------------------------------------


def get(world: World, path: str, method: str = "GET") -> httpx2.Response:
    return httpx2.Client(trust_env=False).request(method, world.url(0) + path)


def test_everybody_may_read_it(world: World) -> None:
    world.member()
    answer = get(world, "/")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert f"Epoch {EPOCH} open" in page.text and STREAM in page.text
    assert get(world, "/", "HEAD").status_code == 200


def test_nothing_but_its_own_style_sheet_may_be_loaded(world: World) -> None:
    answer = get(world, "/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and answer.headers["x-content-type-options"] == "nosniff"
    (sheet,) = Page(answer.text).all("link")
    style = get(world, str(sheet["href"]))
    assert style.status_code == 200 and style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text and "@import" not in style.text
    assert "script" not in {tag for tag, _ in Page(answer.text).tags}


def test_the_witnesses_show_once_they_have_cosigned(world: World) -> None:
    from server.running import wait_for

    world.member()
    wait_for(lambda: Page(get(world, "/").text).text.count(" ago") >= 2, "the page shows two cosignatures")


def test_many_readers_cost_one_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from tacit_server.secretariat.console import page as module

    made = []
    honest = module.page_facts
    monkeypatch.setattr(module, "page_facts", lambda *arguments: made.append(1) or honest(*arguments))
    for _ in range(20):
        assert get(world, "/").status_code == 200
    assert len(made) <= 3
