"""Messages of the protocol as packets of a socket, with descriptors beside them."""

import json
import os
import socket as _socket

from slab.errors import Interrupted
from slab.sealed_memory import sealed_memfd

LONGEST_PACKET = 128 * 1024
MOST_DESCRIPTORS = 18


def send_message(peer, body, descriptors=()):
    """One packet; an object that is too long for it travels in a memfd, which is then the first descriptor."""
    packet = json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    if len(packet) <= LONGEST_PACKET:
        _send_packet(peer, packet, descriptors)
        return
    memfd = sealed_memfd("slab-message", packet)
    try:
        _send_packet(peer, b'{"in_descriptor":%d}' % len(packet), [memfd, *descriptors])
    finally:
        os.close(memfd)


def _send_packet(peer, packet, descriptors):
    if descriptors:
        _socket.send_fds(peer, [packet], descriptors)
    else:
        peer.send(packet)


def receive_message(peer):
    """The next message and its descriptors (close-on-exec, the caller's to close). None at the peer's end."""
    packet, descriptors, flags, _ = _socket.recv_fds(peer, LONGEST_PACKET, MOST_DESCRIPTORS,
                                                     _socket.MSG_CMSG_CLOEXEC)
    if not packet:
        return None
    try:
        if flags & (_socket.MSG_TRUNC | _socket.MSG_CTRUNC):
            raise ValueError("the packet is longer than the protocol allows")
        body = json.loads(packet)
        if "in_descriptor" in body:
            memfd = descriptors.pop(0)
            try:
                body = json.loads(_read_exactly(memfd, body["in_descriptor"]))
            finally:
                os.close(memfd)
        return body, descriptors
    except (ValueError, IndexError, TypeError) as error:
        close_all(descriptors)
        raise Interrupted("the daemon sent what is no message of this protocol", str(error),
                          "Use the slab module that came with this slabd.") from error


def _read_exactly(descriptor, count):
    content = bytearray()
    while len(content) < count:
        part = os.pread(descriptor, count - len(content), len(content))
        if not part:
            raise ValueError(f"its memfd has {len(content)} of {count} bytes")
        content += part
    return content


def close_all(descriptors):
    for descriptor in descriptors:
        os.close(descriptor)
