import { readFrame, readTextFrame, readWish } from "../../../../../services/gateway/socket/client-frame";

describe("what a client says", () => {
  it("is read when it fits", () => {
    expect(readTextFrame('{"type":"track","token":"abc","after":3}', readFrame)).toEqual({
      type: "track",
      token: "abc",
      after: 3,
    });
    expect(readTextFrame('{"type":"ping"}', readFrame)).toEqual({ type: "ping" });
  });

  it.each([
    ["", "frame.not_json"],
    ["[]", "frame.not_an_object"],
    ["null", "frame.not_an_object"],
    ["{}", "frame.unknown_type"],
    ['{"type":["auth"]}', "frame.unknown_type"],
    ['{"type":"constructor"}', "frame.unknown_type"],
    ['{"type":"auth"}', "input.invalid"],
    ['{"type":"auth","token":""}', "input.invalid"],
    ['{"type":"auth","token":"t","role":"admin"}', "input.invalid"],
    ['{"type":"track","token":"t","after":-1}', "input.invalid"],
    ['{"type":"track","token":"\\u0000"}', "input.invalid"],
    ['{"type":"auth","token":"\\ud800"}', "input.invalid"],
    ['{"type":"cart","token":"short"}', "input.invalid"],
    ['{"type":"ping","__proto__":{}}', "input.forbidden_key"],
    [`{"type":"track","token":${"[".repeat(31)}${"]".repeat(31)}}`, "input.invalid"],
    [`{"type":"track","token":${"[".repeat(32)}${"]".repeat(32)}}`, "input.too_deep"],
  ])("is refused by name when it does not: %s", (text, code) => {
    expect(readTextFrame(text, readFrame)).toMatchObject({ refused: "invalid", code });
  });

  it("is refused also when it never was text", () => {
    for (const frame of [undefined, 7, "ping", Buffer.from("x")])
      expect(readFrame(frame)).toMatchObject({ refused: "invalid" });
  });
});

describe("what a connection asks for", () => {
  it("reads after from a query or a handshake", () => {
    expect(readWish("17", [], 2)).toEqual({ after: 17, track: [] });
    expect(readWish(17, undefined, 2)).toEqual({ after: 17, track: [] });
    expect(readWish(0, "token", 2)).toEqual({ after: 0, track: ["token"] });
    for (const none of [undefined, null, ""]) expect(readWish(none, [], 2)).toEqual({ track: [] });
  });

  it("reads a guest's cart token, and refuses what cannot be one", () => {
    const cart = "abcdefghijklmnopqrst_-";
    expect(readWish(undefined, [], 2, cart)).toEqual({ track: [], cart });
    expect(readWish(7, [], 2, cart)).toEqual({ track: [], cart, after: 7 });
    for (const none of ["short", "", 7, null, [cart]])
      expect(readWish(undefined, [], 2, none)).toMatchObject({ code: "cart.bad_token" });
  });

  it.each([
    ["-1"],
    ["1e3"],
    ["1.5"],
    ["x"],
    [1.5],
    [-1],
    [NaN],
    [Infinity],
    [true],
    [["1", "2"]],
    [{}],
    ["9".repeat(17)],
  ])("refuses %p as a position", (after) => {
    expect(readWish(after, [], 2)).toMatchObject({ refused: "invalid" });
  });

  it.each([[["a", "b", "c"]], [[7]], [["x".repeat(65)]], [{}]])("refuses %p as tracking tokens", (track) => {
    expect(readWish(undefined, track, 2)).toMatchObject({ refused: "invalid" });
  });
});
