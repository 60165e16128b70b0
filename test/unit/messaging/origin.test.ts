import { HeardSoFar, readMessage, withOrigin } from "../../../mixins/messaging/origin";

const origin = { node: "a/1", n: 7 };

it.each([{}, { a: 1, b: { c: [1, 2] } }, { text: '"}\\' }])(
  "a message %j travels with its origin and arrives without",
  (message) => {
    const text = withOrigin(JSON.stringify(message), origin);
    expect(JSON.parse(text)).toEqual({ ...message, origin });
    expect(readMessage(text)).toEqual({ message, origin });
  },
);

it.each(["", "hello", "1", "null", "[1]", '"text"', "{"])("%j is no message", (text) => {
  expect(readMessage(text)).toBeUndefined();
});

it.each([
  undefined,
  null,
  "a/1",
  { node: 1, n: 2 },
  { node: "a" },
  { node: "a", n: "2" },
  { node: "a", n: 1.5 },
])("what other programs call origin (%j) is theirs", (theirs) => {
  const message = { a: 1, origin: theirs };
  expect(readMessage(JSON.stringify(message))).toEqual({
    message: JSON.parse(JSON.stringify(message)) as object,
    origin: undefined,
  });
});

it("a message that comes twice, or after a later one of its process, is not new", () => {
  const heard = new HeardSoFar();
  const at = (node: string, n: number) => heard.isNew({ node, n });
  expect([at("a", 1), at("a", 3), at("a", 3), at("a", 2), at("b", 1), at("a", 4)]).toEqual([
    ...[true, true, false, false],
    ...[true, true],
  ]);
});

it("remembers the processes that it heard last, and forgets the others", () => {
  const heard = new HeardSoFar();
  for (let node = 0; node < 1_500; node += 1) heard.isNew({ node: String(node), n: 1 });
  expect(heard.isNew({ node: "1499", n: 1 })).toBe(false);
  expect(heard.isNew({ node: "0", n: 1 })).toBe(true);
});
