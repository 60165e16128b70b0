import { clientAddresses } from "../../../services/gateway/http/client-address";
import { loadSettings } from "../../../settings";

describe("a client's address", () => {
  const proxied = clientAddresses(["10.0.0.0/8", "192.0.2.1", "2001:db8:ffff::/48"]);

  it.each([
    [
      "nobody is trusted: whatever the header says, it is the peer's",
      [],
      "10.0.0.1",
      "203.0.113.7",
      "10.0.0.1",
    ],
    ["a trusted proxy names its client", ["10.0.0.1"], "10.0.0.1", "203.0.113.7", "203.0.113.7"],
    ["a stranger's header is not believed", ["10.0.0.1"], "10.0.0.2", "203.0.113.7", "10.0.0.2"],
  ])("where %s", (_, trusted, peer, header, client) => {
    expect(clientAddresses(trusted)(peer, header)).toBe(client);
  });

  it.each([
    ["the rightmost untrusted one, whatever the client put before it", "1.1.1.1, 203.0.113.7", "203.0.113.7"],
    ["found behind several trusted ones", "1.1.1.1, 203.0.113.7, 10.9.9.9,192.0.2.1", "203.0.113.7"],
    ["the first in the line when all are trusted", "10.1.1.1, 10.2.2.2", "10.1.1.1"],
    ["the proxy's own without a header", undefined, "10.0.0.1"],
    ["the proxy's own when the header is empty", "", "10.0.0.1"],
    ["the proxy's own when the proxy does not know", "203.0.113.7, unknown", "10.0.0.1"],
    ["the last one known when something else follows", "203.0.113.7, <script>, 10.3.3.3", "10.3.3.3"],
    ["without a port", "203.0.113.7:4711", "203.0.113.7"],
    ["without brackets and port", "[2001:db8::7]:4711", "2001:db8::7"],
    ["IPv6", "2001:db8::7, 2001:db8:ffff::1", "2001:db8::7"],
    ["found behind a proxy in IPv6 notation", "203.0.113.7, ::ffff:10.4.4.4", "203.0.113.7"],
  ])("is %s", (_, header, client) => {
    expect(proxied("10.0.0.1", header)).toBe(client);
  });

  it("is the client's also where the proxy is connected by IPv4 on an IPv6 socket", () => {
    expect(proxied("::ffff:10.0.0.1", "203.0.113.7")).toBe("203.0.113.7");
  });

  it("survives a scoped address and a missing peer", () => {
    expect(proxied("fe80::1%eth0", "203.0.113.7")).toBe("fe80::1%eth0");
    expect(proxied(undefined, "203.0.113.7")).toBeUndefined();
  });
});

describe("the list of trusted proxies", () => {
  it("is empty unless set, and takes addresses and networks", () => {
    expect(loadSettings({}).TRUSTED_PROXIES).toEqual([]);
    const text = "127.0.0.1, 10.0.0.0/8,::1, fd00::/8";
    expect(loadSettings({ TRUSTED_PROXIES: text }).TRUSTED_PROXIES).toEqual([
      "127.0.0.1",
      "10.0.0.0/8",
      "::1",
      "fd00::/8",
    ]);
  });

  it.each([
    "proxy.local",
    "10.0.0.0/33",
    "10.0.0.0/",
    "10.0.0/8",
    "::1/129",
    "fe80::1%eth0",
    "10.0.0.0/8/8",
    "*",
  ])("refuses %s in one line", (text) => {
    expect(() => loadSettings({ TRUSTED_PROXIES: text })).toThrow(
      /^TRUSTED_PROXIES=.* is not valid: expected .*\.$/,
    );
  });
});
