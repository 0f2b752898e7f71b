"""What tests of the door share."""

from __future__ import annotations

import asyncio

import pytest

from leadlight.enrich.net.net import open_network
from leadlight.enrich.network import NetworkError

REFUSED = [
    # loopback and this host, in every spelling
    "http://127.0.0.1/", "http://127.0.0.1:80/", "http://127.1/", "http://127.0.1/", "http://127.255.255.254/",
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0x7f.1/", "http://0177.0.0.1/",
    "http://017700000001/", "http://00000177.0.0.1/", "http://127.0.0.01/", "http://127.0.0.1./", "http://0/",
    "http://0.0.0.0/", "http://0x0/", "http://localhost/", "http://LOCALHOST./", "http://a.localhost/",
    "http://127.0.0.1.:80/", "https://127.0.0.1/",
    # private networks, link-local, carrier networks, tests, multicast, reserved
    "http://10.0.0.1/", "http://10.1.2.3/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/",
    "http://169.254.1.1/", "http://100.64.0.1/", "http://100.127.255.254/", "http://198.18.0.1/", "http://192.0.2.1/",
    "http://198.51.100.7/", "http://203.0.113.9/", "http://192.88.99.1/", "http://192.0.0.8/", "http://224.0.0.1/",
    "http://239.255.255.255/", "http://240.0.0.1/", "http://255.255.255.255/",
    # metadata services of clouds
    "http://169.254.169.254/latest/meta-data/", "http://169.254.169.254./", "http://2852039166/",
    "http://0xA9FEA9FE/", "http://0xa9.0xfe.0xa9.0xfe/", "http://0251.0376.0251.0376/", "http://169.254.43518/",
    "http://169.16689662/", "http://169.254.170.2/v2/credentials", "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/", "http://192.0.0.192/", "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.google.internal./", "http://metadata/", "http://instance-data/", "http://[fd00:ec2::254]/",
    # IPv6: loopback, unspecified, mapped, compatible, NAT64, 6to4, Teredo, link-local, unique local, multicast
    "http://[::1]/", "http://[::]/", "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/", "http://[::FFFF:169.254.169.254]/", "http://[::127.0.0.1]/", "http://[::a00:1]/",
    "http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::10.0.0.1]/",
    "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/", "http://[2002:c0a8:101::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/", "http://[fec0::1]/", "http://[fc00::1]/", "http://[fd12:3456::1]/", "http://[ff02::1]/",
    "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[100::1]/", "http://[2606:4700::5efe:10.0.0.1]/",
    "http://[2606:4700::200:5efe:127.0.0.1]/", "http://[::ffff:0:127.0.0.1]/", "http://[4000::1]/",
    # names that hide a number, or another host
    "http://①②⑦.⓪.⓪.①/", "http://１２７.0.0.1/", "http://127。0。0。1/", "http://127．0．0．1/",
    "http://%31%32%37.0.0.1/", "http://%6c%6f%63alhost/", "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://loc\u00adalhost/",
    "http://example.com@10.0.0.1/", "http://user:password@10.0.0.1/", "http://10.0.0.1@example.com/",
    "http://example.com:80@10.0.0.1/", "http://example.com%40@10.0.0.1/", "http://example.com\\@10.0.0.1/",
    "http://10.0.0.1\\@example.com/", "http://10.0.0.1#@example.com/", "http://10.0.0.1?@example.com/",
    "http://10.0.0.1;example.com/", "http://10.0.0.1,example.com/", "http://example.com /", "http://exa mple.com/",
    "http://[::1", "http://::1/", "http://[::1]example.com/", "http://[127.0.0.1]/", "http://[v1.a]/",
    "http://10.0.0.1\t/", "http://10.0.0.1\n/", "http://example.com/\r\nHost: 10.0.0.1", "http://10.0.0.1\x00.example/",
    "http://-example.com/", "http://example..com/", "http://.example.com/", "http:///", "http://", "http:", "",
    "//10.0.0.1/", "/etc/passwd", "http:10.0.0.1/", "http:/10.0.0.1/", "http:///10.0.0.1/", "http://*/", "http://a b/",
    "http://" + "a" * 64 + ".example/", "http://" + "a." * 130 + "example/", "http://x.example/" + "a" * 5000,
    # what is no web
    "file:///etc/passwd", "file://localhost/etc/passwd", "gopher://127.0.0.1:6379/_INFO", "ftp://example.com/",
    "dict://127.0.0.1:11211/stat", "ldap://127.0.0.1/", "sftp://example.com/", "tftp://example.com/", "jar:http://x!/",
    "data:text/html,hello", "javascript:alert(1)", "unix:/var/run/docker.sock", "http+unix://%2Fvar%2Frun/",
    "ws://example.com/", "view-source:http://example.com/", "about:blank", "HTTPX://example.com/", "netdoc:///etc/passwd",
    # ports of other services
    "http://93.184.215.14:22/", "http://93.184.215.14:25/", "http://93.184.215.14:3306/", "http://93.184.215.14:6379/",
    "http://93.184.215.14:11211/", "http://93.184.215.14:2375/", "http://93.184.215.14:0/",
    "http://93.184.215.14:65536/", "http://93.184.215.14:-80/", "http://93.184.215.14:80a/", "http://93.184.215.14:８0/x",
]  # fmt: skip
"""Addresses of which none may be asked. 93.184.215.14 is public; it is never connected to here."""


@pytest.fixture
def ask(tmp_path):
    """Run one question, or a function of the door, on a door of its own; the answer, or the NetworkError."""

    def run(spec, what, *, path=tmp_path / "lookups.sqlite", **more):
        async def go():
            async with open_network(spec, path, **more) as door:
                try:
                    return await (door.get(what) if isinstance(what, str) else what(door))
                except NetworkError as error:
                    return error

        return asyncio.run(go())

    return run
