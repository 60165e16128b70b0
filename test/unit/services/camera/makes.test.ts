import { makeOf, type Report } from "../../../../services/camera/makes";
import dahua from "./fixtures/dahua.json";
import hikvision from "./fixtures/hikvision.json";

const report = (data: object, given: Partial<Report> = {}): Report => ({
  event_type: undefined,
  timestamp: undefined,
  data: data as Report["data"],
  ...given,
});
const read = (model: string, data: object, given?: Partial<Report>) =>
  makeOf(model).read(report(data, given));

describe("a Hikvision camera", () => {
  const model = "Hikvision DS-2CD2143G2-I";

  it("reports motion: our name for it, its clock, its state and channel; and everything that it said", () => {
    expect(read(model, hikvision.motion)).toEqual({
      event_type: "motion_detected",
      timestamp: "2026-03-10T16:00:05+07:00",
      data: { ...hikvision.motion, vendor_type: "VMD", state: "active", channel: 1 },
    });
  });

  it.each([
    ["line", "line_crossed", "inactive"],
    ["plate", "plate_recognised", "active"],
  ] as const)("reports a %s", (which, event_type, state) => {
    const data = hikvision[which];
    expect(read(model, data)).toMatchObject({ event_type, data: { ...data, state } });
  });

  it("says that it is alive by a video loss that is none, and loses video by one that is", () => {
    expect(read(model, hikvision.heartbeat)).toBe("alive");
    expect(read(model, { ...hikvision.heartbeat, eventState: "active" })).toMatchObject({
      event_type: "video_lost",
    });
  });

  it.each(["DS-2CD2T47G2-L", "hikvision", "HiWatch DS-I400"])("is known as %j, too", (name) => {
    expect(read(name, {}, { event_type: "VMD" })).toMatchObject({ event_type: "motion_detected" });
  });

  it("reports by the entry's own type and time where its payload has none", () => {
    const timestamp = "2026-03-10T09:00:00Z";
    expect(read(model, { zone: 1 }, { event_type: "fielddetection", timestamp })).toEqual({
      event_type: "intrusion_detected",
      timestamp,
      data: { zone: 1, vendor_type: "fielddetection" },
    });
  });

  it("passes on what is not in our table, and says nothing where nobody said what happened", () => {
    expect(read(model, { eventType: "hotSpare" })).toMatchObject({ event_type: "hotSpare" });
    expect(read(model, { a: 1 }, { event_type: "door_opened" })).toEqual({
      event_type: "door_opened",
      timestamp: undefined,
      data: { a: 1 },
    });
    expect(read(model, { eventType: "constructor" })).toMatchObject({ event_type: "constructor" });
    expect(read(model, { eventState: "active" })).toBeUndefined();
  });
});

describe("a Dahua camera", () => {
  const model = "Dahua IPC-HDBW2431E-S";

  it("reports motion: our name for it, its state, its channel from 1; and everything that it said", () => {
    expect(read(model, dahua.motion)).toEqual({
      event_type: "motion_detected",
      timestamp: undefined,
      data: { ...dahua.motion, vendor_type: "VideoMotion", state: "active", channel: 1 },
    });
  });

  it("reports a crossed line by its own clock, to the millisecond", () => {
    expect(read(model, dahua.line)).toMatchObject({
      event_type: "line_crossed",
      timestamp: "2026-03-10T09:00:06.701Z",
      data: { data: dahua.line.data },
    });
  });

  it.each([
    ["human", "motion_detected", { state: "inactive", channel: 4 }],
    ["alarm", "alarm_input", { state: "pulse", channel: 1 }],
  ] as const)("reports %s", (which, event_type, data) => {
    expect(read(model, dahua[which])).toMatchObject({ event_type, data });
  });

  it.each(["DH-IPC-HFW2431S", "IPC-HDW3849H", "dahua"])("is known as %j, too", (name) => {
    expect(read(name, dahua.motion)).toMatchObject({ event_type: "motion_detected" });
  });

  it("passes on codes that are not in our table, without a state or channel that nobody gave", () => {
    expect(read(model, { Code: "NewFile", index: "x", action: "Whatever", data: { UTC: -5 } })).toEqual({
      event_type: "NewFile",
      timestamp: undefined,
      data: { Code: "NewFile", index: "x", action: "Whatever", data: { UTC: -5 } },
    });
    expect(read(model, { action: "Start" })).toBeUndefined();
    expect(read(model, { Code: "KeepAlive" })).toBe("alive");
  });
});

describe("any other camera", () => {
  it.each(["Generic ONVIF", "Axis P3245", "", "my DS-2CD copy"])("%j reports in our own form", (model) => {
    const given = { event_type: "motion_detected", timestamp: "2026-03-10T09:00:00Z" };
    expect(read(model, { zone: 1 }, given)).toEqual({ ...given, data: { zone: 1 } });
    expect(read(model, { eventType: "VMD" })).toBeUndefined();
  });
});
