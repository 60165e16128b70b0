import fc from "fast-check";
import { readEntry } from "../../../../services/camera/read-entry";
import dahua from "./fixtures/dahua.json";
import hikvision from "./fixtures/hikvision.json";

const mac_address = "44-19-b6-6d-24-85";
const mac = "44:19:B6:6D:24:85";
const entry = { mac_address, event_type: "motion", timestamp: "2026-03-10T09:00:00Z" };

it("reads an entry of our form", () => {
  expect(readEntry({ ...entry, data: { zone: 1 } })).toEqual({
    mac,
    report: { event_type: "motion", timestamp: entry.timestamp, data: { zone: 1 } },
  });
  expect(readEntry(entry)).toMatchObject({ report: { data: {} } });
});

it.each(["4419.b66d.2485", "4419b66d2485", "44:19:B6:6D:24:85"])("takes the address as %s", (spelling) => {
  expect(readEntry({ ...entry, mac_address: spelling })).toMatchObject({ mac });
});

it("keeps a make's notification whole, posted as it is, with fields beside it, or as data", () => {
  const notification = hikvision.motion;
  expect(readEntry(notification)).toMatchObject({
    mac,
    report: { event_type: undefined, data: notification },
  });
  expect(readEntry({ data: notification })).toMatchObject({ mac, report: { data: notification } });
  expect(readEntry({ mac_address, ...dahua.line })).toMatchObject({ mac, report: { data: dahua.line } });
});

it.each([
  [{ mac_address: undefined }, "/mac_address"],
  [{ mac_address: "44:19:B6:6D:24" }, "/mac_address"],
  [{ mac_address: "44:19-B6:6D:24:85" }, "/mac_address"],
  [{ mac_address: 42 }, "/mac_address"],
  [{ event_type: "" }, "/event_type"],
  [{ event_type: "x".repeat(101) }, "/event_type"],
  [{ event_type: null }, "/event_type"],
  [{ timestamp: "yesterday" }, "/timestamp"],
  [{ timestamp: 1_773_133_206 }, "/timestamp"],
  [{ data: "text" }, "/data"],
  [{ data: [1] }, "/data"],
])("says what is wrong with %j", (wrong, path) => {
  expect(readEntry({ ...entry, ...wrong })).toMatchObject([{ path }]);
});

it("refuses a picture", () => {
  const data = { picture: "x".repeat(40_000) };
  expect(readEntry({ ...entry, data })).toEqual([
    { path: "/", message: "must be at most 32000 characters of JSON" },
  ]);
});

it("reads or refuses whatever JSON there is, and never throws", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (payload, data) => {
      const read = readEntry({ ...payload, mac_address, data });
      if ("mac" in read) expect(read.report.data).toBeDefined();
      else expect(read.length).toBeGreaterThan(0);
    }),
  );
});
