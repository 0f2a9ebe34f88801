"""The life of an audit with real servers and real HTTP, told in the seven hops of the README."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.demo.search import Patterns, find_hits

from support.world import EPOCH, STREAM, World, audited, meddle, planned, site
from tacit_client.lists import ListError
from tacit_matcher.records import AuditedSite, PlannedAudit, Site
from tacit_protocol.errors import QuorumError
from tacit_protocol.grants import PADDING


@pytest.fixture(scope="module")
def published(world: World) -> World:
    """The round after a first window to which two members contributed."""
    first, second = world.member("first"), world.member("second")
    first.contribute([audited(n) for n in range(30)])
    # The same site as another member writes it: without legal form, in capitals, the street abbreviated.
    second.contribute(
        [
            audited(
                40,
                name=site(40).name.upper().removesuffix(" GMBH"),
                address=site(40).address.replace("strasse", "str."),
            ),
            audited(3, days_ago=20),
        ]
    )
    world.close_window(second)
    return world


def statuses(report: object) -> dict[str, str]:
    return {row.plan_id: row.status for row in report.rows}  # type: ignore[attr-defined]


def test_a_planned_audit_becomes_a_match_in_seven_hops(published: World) -> None:
    planner = published.member("planner")
    hops = meddle(planner)
    plans = [
        *planned(3, 7, 40),
        PlannedAudit("unknown", Site("Kaffeerösterei Meyer", "Hafenweg 1", "Bremen", "28195", "DE")),
    ]
    report = planner.check(plans)
    # 1 and 2: rows became blinded match keys; 3: the board granted, two trustees answered.
    asked = {party for party, _, url in hops.requests if url.endswith("/evaluations")}
    assert len(asked) == 2 and asked <= {"trustee 1", "trustee 2", "trustee 3"}
    assert ("secretariat", "POST") in {(party, method) for party, method, _ in hops.requests}
    # 4: verified and combined; 5: the published index was downloaded whole; 6: opened; 7: judged.
    assert any("/v1/indexes/" in url for _, _, url in hops.requests)
    assert statuses(report) == {"P3": "assessed", "P7": "assessed", "P40": "assessed", "unknown": "not found"}
    by_plan = {row.plan_id: row for row in report.rows}
    assert by_plan["P7"].scheme == "SMETA 4-pillar" and by_plan["P7"].held_at == "Sedex"
    assert by_plan["P3"].scope == "site" and "ask the supplier" in by_plan["P3"].next_step
    # Two members assessed site 3: the later quarter is shown, the number of contributors is not.
    latest = planner.today()
    assert by_plan["P3"].assessed_in >= f"{latest.year - 1}-Q1"
    assert not hasattr(by_plan["P3"], "contributors")


def test_a_member_does_not_find_its_own_records(published: World) -> None:
    alone = published.member("alone")
    alone.contribute([audited(100, city="Lindau", name="Kaeserei Lindenhof")])
    published.close_window(alone)
    plan = PlannedAudit("own", site(100, city="Lindau", name="Kaeserei Lindenhof"))
    assert statuses(alone.check([plan])) == {"own": "not found"}
    other = published.member("other")
    assert statuses(other.check([plan])) == {"own": "assessed"}


def test_checking_again_spends_no_quota(published: World) -> None:
    member = published.member("thrifty")
    member.check(planned(3, 7))
    spent = member.status()[0].used
    member.check(planned(7, 3))
    assert member.status()[0].used == spent > 0


def test_a_trustee_killed_in_the_middle_is_replaced_and_named(published: World) -> None:
    member = published.member("interrupted")
    meddler = meddle(member)
    victim: list[int] = []

    def kill_the_first_asked(party: str, method: str, url: str) -> None:
        if url.endswith("/evaluations") and not victim:
            victim.append(int(party.split()[1]))
            published.kill(victim[0])

    meddler.before = kill_the_first_asked
    try:
        report = member.check(planned(3, 55))
    finally:
        for index in victim:
            published.revive(index)
    assert statuses(report) == {"P3": "assessed", "P55": "not found"}
    assert any(f"trustee {victim[0]}" in warning for warning in member.warnings)


def test_below_the_threshold_nothing_is_lost_and_the_check_is_resumed(published: World) -> None:
    member = published.member("patient")
    for index in (1, 2):
        published.kill(index)
    try:
        with pytest.raises(QuorumError, match="run the command again") as caught:
            member.check(planned(3, 56))
        assert "trustee 1" in str(caught.value.party) and "trustee 2" in str(caught.value.party)
        assert member.status()[0].used == 0  # the grant is on the log, but nobody has witnessed it yet
    finally:
        for index in (1, 2):
            published.revive(index)
    assert statuses(member.check(planned(3, 56)))["P3"] == "assessed"
    assert member.status()[0].used == PADDING  # the interrupted batch was finished under its own grant


def test_the_secretariat_holds_no_identifier(published: World) -> None:
    everything = [site(n) for n in range(60)]
    patterns = Patterns(value for one in everything for value in (one.name, one.address))
    hits, searched = find_hits(published.parties.home, patterns)
    assert searched > 100_000
    assert hits == set()
    planted = published.folder / "planted"
    planted.mkdir(exist_ok=True)
    (planted / "leak.bin").write_bytes(b"\x00\x01" + everything[3].name.encode() + b"\xff")
    assert len(find_hits(planted, patterns)[0]) == 1  # the search can find


def test_a_bad_list_sends_nothing(published: World, tmp_path: Path) -> None:
    member = published.member("careless")
    bad = tmp_path / "bad.csv"
    bad.write_text("Supplier name,City,Country,Audit date,Scheme\nMolkerei,Kempten,DE,not a date,SMETA 4-pillar\n")
    meddler = meddle(member)
    with pytest.raises(ListError, match="row 2"):
        member.contribute(bad)
    assert meddler.requests == []


def test_an_upload_that_came_to_late_goes_into_the_next_window(published: World) -> None:
    late = published.member("late")
    late.contribute([audited(200, name="Brauhaus Spaetlese", city="Trier")])
    window = late.board().open_window(EPOCH, STREAM)
    published.close_window(late)
    again = late.contribute([audited(200, name="Brauhaus Spaetlese", city="Trier")])
    assert again.already_there and again.window == window
    replaced = late.contribute([audited(201, name="Brauhaus Abendrot", city="Trier")])
    assert replaced.window == window + 1
    published.close_window(late)
    reader = published.member("reader")
    plans = [
        PlannedAudit("old", site(200, name="Brauhaus Spaetlese", city="Trier")),
        PlannedAudit("new", site(201, name="Brauhaus Abendrot", city="Trier")),
    ]
    assert statuses(reader.check(plans)) == {"old": "not found", "new": "assessed"}


def test_only_the_last_three_years_are_contributed(published: World, tmp_path: Path) -> None:
    member = published.member("archive")
    path = tmp_path / "audited.csv"
    rows = [("Alte Muehle", "2015-05-05"), ("Neue Muehle", member.today().isoformat())]
    path.write_text(
        "Supplier name,Address,City,Postcode,Country,Audit date,Scheme\n"
        + "".join(f"{name},Muehlweg 1,Celle,29221,DE,{day},SMETA 4-pillar\n" for name, day in rows)
    )
    assert member.contribute(path).records == 1


def test_audited_sites_can_be_given_as_records(published: World) -> None:
    member = published.member("notebook")
    result = member.contribute([AuditedSite(site(300), member.today(), "amfori BSCI")])
    assert result.records == 1 and not result.already_there
