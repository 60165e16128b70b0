import { RegistryLookups } from "../../../../services/camera-cache/registry-lookups";
import type { Camera } from "../../../../services/camera/camera.events";

const camera = (mac_address: string): Camera => ({ mac_address }) as Camera;

/** A registry that answers when it is told to. */
function registry() {
  const asked: string[][] = [];
  const answers: ((cameras: readonly Camera[] | Error) => void)[] = [];
  const lookups = new RegistryLookups((macs) => {
    asked.push(macs);
    return new Promise((resolve, reject) => {
      answers.push((outcome) => {
        if (outcome instanceof Error) reject(outcome);
        else resolve(outcome);
      });
    });
  }, 3);
  return { asked, answers, lookups };
}
const turn = () => new Promise(setImmediate);

it("asks for all that wait at once, and gives each their own", async () => {
  const { asked, answers, lookups } = registry();
  const found = Promise.all(["a", "b", "a"].map((mac) => lookups.find(mac)));
  await turn();
  expect(asked).toEqual([["a", "b"]]);
  answers[0]?.([camera("a")]);
  expect(await found).toEqual([camera("a"), null, camera("a")]);
});

it("has two questions under way at most, and no more addresses in one than it may", async () => {
  const { asked, answers, lookups } = registry();
  const found = Promise.all(Array.from({ length: 10 }, (_, n) => lookups.find(String(n))));
  for (let at = 0; at < 4; at += 1) {
    await turn();
    expect(asked.length - at).toBeLessThanOrEqual(2);
    answers[at]?.([]);
  }
  expect(await found).toEqual(Array.from({ length: 10 }, () => null));
  expect(asked.map(({ length }) => length)).toEqual([3, 3, 3, 1]);
});

it("never answers from a question that began before it was asked", async () => {
  const { asked, answers, lookups } = registry();
  const first = lookups.find("a");
  await turn();
  const second = lookups.find("a");
  await turn();
  expect(asked).toEqual([["a"], ["a"]]);
  answers[0]?.([]);
  answers[1]?.([camera("a")]);
  expect([await first, await second]).toEqual([null, camera("a")]);
});

it("tells those of a question that it failed, and asks on for the others", async () => {
  const { answers, lookups } = registry();
  const failing = lookups.find("a");
  await turn();
  const other = lookups.find("b");
  await turn();
  answers[0]?.(new Error("away"));
  answers[1]?.([camera("b")]);
  await expect(failing).rejects.toThrow("away");
  expect(await other).toEqual(camera("b"));
  const again = lookups.find("a");
  await turn();
  answers[2]?.([camera("a")]);
  expect(await again).toEqual(camera("a"));
});

it("lets so many wait, and tells the others to come back", async () => {
  const { lookups } = registry();
  for (const mac of ["x", "y"]) {
    void lookups.find(mac);
    await turn();
  }
  for (let n = 0; n < 20_000; n += 1) void lookups.find(String(n));
  await expect(lookups.find("one more")).rejects.toMatchObject({ type: "camera.lookups_busy" });
});
