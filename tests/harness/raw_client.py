"""A client that keeps no rules: packets as the test wants them, and an end at any moment."""

import json
import os
import socket

from slab.messages import receive_message
from slab.sealed_memory import sealed_memfd


class RawClient:
    def __init__(self, daemon, greeted=True):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(30)
        self.socket.connect(daemon.socket)
        if greeted:
            self.ask({"request": "hello", "protocol": 1, "client": "raw", "tag": 0})

    def send(self, packet, descriptors=()):
        """Bytes as they are, or an object as JSON."""
        content = packet if isinstance(packet, bytes) else json.dumps(packet).encode()
        if descriptors:
            socket.send_fds(self.socket, [content], descriptors)
        else:
            self.socket.send(content)

    def receive(self):
        """The next message's object, or None at the end of the connection."""
        try:
            message = receive_message(self.socket)
        except ConnectionError:
            return None
        if message is None:
            return None
        for descriptor in message[1]:
            os.close(descriptor)
        return message[0]

    def ask(self, body, descriptors=()):
        self.send(body, descriptors)
        return self.receive()

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def memfd_of(array):
    return sealed_memfd("test-input", array.reshape(-1).view("u1"))


def submit_request(kernel, array, descriptor=0, **more):
    return {"request": "submit", "tag": 1, "kernel": kernel, "keep": True,
            "inputs": [{"dtype": array.dtype.str, "shape": list(array.shape), "descriptor": descriptor, "offset": 0}],
            **more}
