from __future__ import annotations

from server.running import EPOCH, STREAM, World
from tacit_protocol import messages, sealed_index, signing
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import Receipt
from tacit_server.secretariat.operator import operations


def test_a_record_of_one_member_is_opened_by_another_through_the_published_index(world: World) -> None:
    members = [world.member() for _ in range(3)]
    keys = [[b"site of member %d" % number, b"another key of it, %d" % number] for number in range(3)]
    # The output for an input is the same for every member, so one of them asks for all (a test, not the protocol).
    outputs = members[0].outputs([key for of_one in keys for key in of_one])
    for number, member in enumerate(members):
        payload = bytes([number]) * sealed_index.PAYLOAD_BYTES
        receipt = member.upload(member.seal([(payload, keys[number])], outputs))
        with world.keeper.view() as board:
            signing.verify(board.manifest(EPOCH).trustee(3).signing_key, receipt)
        assert messages.body_of(receipt, Receipt).count == sealed_index.RECORD_BUCKET

    assert operations.close_window(world.keeper, EPOCH, STREAM).window == 1
    world.wait_for_index(1)

    reader = members[1]
    root = reader.board().latest_index(EPOCH, STREAM)
    assert root is not None
    data = reader.send(0, "GET", f"/v1/indexes/{EPOCH}/{STREAM}/1").content
    index = IndexFile(data)
    index.verify(root)
    assert root.records == 3 * sealed_index.RECORD_BUCKET

    wanted = b"site of member 2"
    output = reader.outputs([wanted], trustees=(2, 3))[wanted]
    key = sealed_index.entry_key(sealed_index.entry_context(EPOCH, STREAM, world.stream_keys().public_key), output)
    ((salt, wrapped),) = index.find(key.tag)
    record_key = sealed_index.unwrap(key, salt, wrapped)
    record = index.record(sealed_index.record_keys(record_key).commitment)
    assert record is not None
    assert sealed_index.open_record(EPOCH, STREAM, record_key, record) == bytes([2]) * sealed_index.PAYLOAD_BYTES
