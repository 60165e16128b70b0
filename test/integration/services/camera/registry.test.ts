import { randomUUID } from "node:crypto";
import type { Caller } from "../../../../mixins/contract/caller";
import {
  changeCamera,
  createCamera,
  deleteCamera,
  getCamera,
  listCameras,
} from "../../../../services/camera/camera.contract";
import { BRANCH, manager, OTHER_BRANCH, uuidOf } from "../../../support/orders";
import { startTestDatabase, type TestDatabase } from "../../../support/postgres";
import { anyMac, CameraNode } from "./camera-node";

jest.setTimeout(60_000);

let database: TestDatabase;
let node: CameraNode;

beforeAll(async () => {
  database = await startTestDatabase();
  node = await CameraNode.start(database);
  await node.furnish();
});
afterAll(async () => {
  await node.stop();
  await database.stop();
});

const asManager = { caller: manager };
const eventsOf = async (camera_id: string) =>
  (await node.runtime.log.readStream(`camera-${camera_id}`)).map(({ type, data }) => ({ type, data }));

it("keeps a camera under one spelling of its address, with what nobody said filled in", async () => {
  const mac = anyMac();
  const camera = await node.call(
    createCamera,
    { mac_address: mac.toLowerCase().replaceAll(":", "-"), model: " Axis P3245 ", branch_id: BRANCH },
    asManager,
  );
  expect(camera).toMatchObject({
    ...{ mac_address: mac, model: "Axis P3245", name: null, settings: {}, branch_id: BRANCH },
    ...{ complex_id: null, enabled: true, version: 1 },
  });
  const { position, ...shown } = camera;
  expect(position).toBeGreaterThan(0);
  expect(await node.call(getCamera, { camera_id: camera.camera_id }, asManager)).toEqual(shown);
});

it("tells each change by the event that it is, with what others remember a camera by", async () => {
  const { camera_id, mac_address } = await node.camera();
  const other = anyMac();
  await node.call(changeCamera, { camera_id, settings: { sensitivity: 60 } });
  await node.call(changeCamera, { camera_id, mac_address: other });
  await node.call(changeCamera, { camera_id, enabled: false, name: null });
  await node.call(changeCamera, { camera_id, enabled: false });
  await node.call(deleteCamera, { camera_id });
  const told = await eventsOf(camera_id);
  expect(told.map(({ type }) => type)).toEqual([
    ...["camera.created", "camera.settings.updated", "camera.updated", "camera.updated", "camera.deleted"],
  ]);
  expect(told.map(({ data }) => data)).toMatchObject([
    { camera_id, mac_address, settings: { sensitivity: 50 }, branch_id: BRANCH, complex_id: "tower-1" },
    { mac_address, settings: { sensitivity: 60 }, changed: ["settings"] },
    { mac_address: other, changed: ["mac_address"], previous: { mac_address } },
    { enabled: false, changed: ["name", "enabled"] },
    { mac_address: other, enabled: false },
  ]);
  expect(await node.refusal(getCamera, { camera_id })).toBe("camera.unknown");
});

it("a repeated creation gives the first answer", async () => {
  const meta = { command: { id: randomUUID(), fingerprint: "same" } };
  const wish = { mac_address: anyMac(), model: "Axis", branch_id: BRANCH };
  expect(await node.call(createCamera, wish, meta)).toEqual(await node.call(createCamera, wish, meta));
});

describe("refuses", () => {
  const wish = () => ({ mac_address: anyMac(), model: "Axis", branch_id: BRANCH });

  it("an address that another camera has, at creation and at a change", async () => {
    const [{ mac_address }, { camera_id }] = [await node.camera(), await node.camera()];
    const taken = mac_address.replaceAll(":", "").toLowerCase();
    expect(await node.refusal(createCamera, { ...wish(), mac_address: taken })).toBe(
      "camera.mac_address_taken",
    );
    expect(await node.refusal(changeCamera, { camera_id, mac_address: taken })).toBe(
      "camera.mac_address_taken",
    );
  });

  it.each([
    ["half an address", { mac_address: "44:19:B6" }, "input.invalid"],
    ["an address with a G", { mac_address: "44:19:B6:6D:24:8G" }, "input.invalid"],
    ["a model without a name", { model: "  " }, "input.invalid"],
    ["a complex with a space", { complex_id: "a b" }, "input.invalid"],
    ["settings that are a list", { settings: [] }, "input.invalid"],
    ["no settings", { settings: null }, "input.invalid"],
    ["a field that cameras do not have", { role: "admin" }, "input.invalid"],
    ["settings as long as a book", { settings: { text: "x".repeat(20_000) } }, "camera.settings_too_long"],
    ["a branch that nobody has opened", { branch_id: uuidOf(9, "b") }, "branch.unknown"],
  ])("%s", async (_, wrong, code) => {
    expect(await node.refusal(createCamera, { ...wish(), ...wrong })).toBe(code);
    const { camera_id } = await node.camera();
    expect(await node.refusal(changeCamera, { camera_id, ...wrong })).toBe(code);
  });

  it("a change of a state that is not there any more", async () => {
    const { camera_id } = await node.camera();
    await node.call(changeCamera, { camera_id, name: "a", expected_version: 1 });
    expect(await node.refusal(changeCamera, { camera_id, name: "b", expected_version: 1 })).toBe(
      "camera.changed_meanwhile",
    );
    expect(await node.refusal(deleteCamera, { camera_id, expected_version: 1 })).toBe(
      "camera.changed_meanwhile",
    );
  });

  it("cameras that nobody has registered", async () => {
    const camera_id = randomUUID();
    expect(await node.refusal(changeCamera, { camera_id, name: "b" })).toBe("camera.unknown");
    expect(await node.refusal(deleteCamera, { camera_id })).toBe("camera.unknown");
  });

  it.each(["cook", "courier", "technologist", "customer", "guest"] as const)("a %s", async (role) => {
    const caller: Caller = { role, user_id: uuidOf(7, "a"), branch_ids: null };
    const code = role === "guest" ? "auth.required" : "auth.forbidden";
    for (const contract of [createCamera, listCameras, getCamera, changeCamera, deleteCamera])
      expect(await node.refusal(contract, {}, { caller })).toBe(code);
  });

  it("a manager the cameras of other branches", async () => {
    const theirs = await node.camera({ branch_id: OTHER_BRANCH });
    const { camera_id } = theirs;
    const refusal = (contract: Parameters<CameraNode["refusal"]>[0], params: object) =>
      node.refusal(contract, params, asManager);
    expect(await refusal(getCamera, { camera_id })).toBe("branch.not_yours");
    expect(await refusal(changeCamera, { camera_id, name: "b" })).toBe("branch.not_yours");
    expect(await refusal(deleteCamera, { camera_id })).toBe("branch.not_yours");
    expect(await refusal(createCamera, { ...wish(), branch_id: OTHER_BRANCH })).toBe("branch.not_yours");
    expect(await refusal(listCameras, { branch_id: OTHER_BRANCH })).toBe("branch.not_yours");
    const mine = await node.camera();
    expect(await refusal(changeCamera, { camera_id: mine.camera_id, branch_id: OTHER_BRANCH })).toBe(
      "branch.not_yours",
    );
  });
});

it("lists the newest first, page by page, and to a manager those of their branches", async () => {
  const complex_id = `c-${randomUUID()}`;
  const made = [];
  for (const branch_id of [BRANCH, OTHER_BRANCH, BRANCH, BRANCH])
    made.unshift((await node.camera({ branch_id, complex_id })).camera_id);
  await node.call(changeCamera, { camera_id: made[0] ?? "", enabled: false });
  const all = async (meta: object, filter: object = {}): Promise<string[]> => {
    const ids: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: { camera_id: string }[]; next_cursor: string | null } = await node.call(
        listCameras,
        { complex_id, limit: 2, ...filter, ...(cursor === null ? {} : { cursor }) },
        meta,
      );
      ids.push(...page.items.map(({ camera_id }) => camera_id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    return ids;
  };
  expect(await all({})).toEqual(made);
  expect(await all({}, { enabled: false })).toEqual(made.slice(0, 1));
  expect(await all({}, { branch_id: OTHER_BRANCH })).toEqual([made[2]]);
  expect(await all(asManager)).toEqual([made[0], made[1], made[3]]);
  expect(await node.refusal(listCameras, { cursor: "rubbish" })).toBe("input.cursor_malformed");
});
