import {
  clientAddresses,
  secureRequests,
  type IsSecure,
} from "../../../services/gateway/http/client-address";
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

describe("whether a request came by TLS", () => {
  const isSecure = secureRequests(["10.0.0.0/8"]);
  const request = (
    peer: string,
    proto?: string,
    road?: string,
    socket: object = {},
  ): Parameters<IsSecure>[0] =>
    ({
      socket: { remoteAddress: peer, ...socket },
      headers: {
        ...(proto === undefined ? {} : { "x-forwarded-proto": proto }),
        ...(road === undefined ? {} : { "x-forwarded-for": road }),
      },
    }) as unknown as Parameters<IsSecure>[0];

  it.each<[string, boolean, Parameters<typeof request>]>([
    ["a trusted proxy says so", true, ["10.0.0.1", "https"]],
    ["it says so in capitals", true, ["10.0.0.1", "HTTPS"]],
    ["it says that it was not", false, ["10.0.0.1", "http"]],
    ["it says nothing", false, ["10.0.0.1"]],
    ["a stranger says so", false, ["203.0.113.7", "https"]],
    ["the client put it before what the proxy heard", false, ["10.0.0.1", "https, http", "203.0.113.7"]],
    ["the outer of two proxies heard it", true, ["10.0.0.1", "https, http", "203.0.113.7, 10.0.0.2"]],
    [
      "the client put it before what both have heard",
      false,
      ["10.0.0.1", "https, http, http", "203.0.113.7, 10.0.0.2"],
    ],
    ["two proxies, of which the inner replaces it", true, ["10.0.0.1", "https", "203.0.113.7, 10.0.0.2"]],
    ["it came so", true, ["203.0.113.7", undefined, undefined, { encrypted: true }]],
  ])("where %s", (_, secure, given) => {
    expect(isSecure(request(...given))).toBe(secure);
  });

  it("is believed of nobody where nobody is trusted", () => {
    expect(secureRequests([])(request("127.0.0.1", "https"))).toBe(false);
    expect(secureRequests([])(request("127.0.0.1", "http", undefined, { encrypted: true }))).toBe(true);
  });
});
