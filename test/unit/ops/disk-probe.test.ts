import { tmpdir } from "node:os";
import path from "node:path";
import { diskProbe, diskSpace, diskStatus } from "../../../services/ops/disk-probe";

const GB = 1_000_000_000;

describe("free space on a disk of", () => {
  it.each([
    ["250 GB", 250, 21, "up"],
    ["250 GB, under its 20", 250, 19.9, "degraded"],
    ["100 GB, under a tenth", 100, 9.9, "degraded"],
    ["100 GB, at a tenth", 100, 10, "up"],
    ["4 TB, two hundredths", 4_000, 80, "up"],
    ["10 GB, under 2", 10, 1.9, "degraded"],
    ["10 GB, at 2", 10, 2, "up"],
    ["10 GB, under 200 MB", 10, 0.19, "down"],
    ["100 GB, under a hundredth", 100, 0.99, "down"],
    ["100 GB, at a hundredth", 100, 1, "degraded"],
    ["4 TB, under 2 GB", 4_000, 1.9, "down"],
  ] as const)("%s", (_name, total, free, status) => {
    expect(diskStatus({ total_bytes: total * GB, free_bytes: free * GB })).toBe(status);
  });
});

describe("the disk probe", () => {
  it("really looks, also where the folder is still to be made", async () => {
    const space = await diskSpace(tmpdir());
    expect(space.total_bytes).toBeGreaterThan(space.free_bytes);
    expect(space.free_bytes).toBeGreaterThan(0);
    const later = await diskSpace(path.join(tmpdir(), "not", "yet", "there"));
    expect(later.total_bytes).toBe(space.total_bytes);
  });

  it("shows its figures, and never takes a node out", async () => {
    const full = { free_bytes: 1_000, total_bytes: 100 * GB };
    const probe = diskProbe("/data", () => Promise.resolve(full));
    expect(probe.required).toBe(false);
    expect(await probe.probe()).toEqual({ status: "down", ...full, detail: expect.any(String) as string });
  });

  it("rejects where the disk does not answer", async () => {
    await expect(diskSpace("/proc/version/nothing")).rejects.toThrow("ENOTDIR");
  });
});
