import { UnavailableError } from "../../../../mixins/contract/refusal";
import { PasswordHasher, type ScryptCost } from "../../../../services/auth/password-hasher";

const CHEAP: ScryptCost = { ln: 10, r: 8, p: 1 };

describe("A password hash", () => {
  const hasher = new PasswordHasher(CHEAP);

  it("fits its password and no other", async () => {
    const stored = await hasher.hash("correct horse");
    expect(await hasher.verify("correct horse", stored)).toBe(true);
    expect(await hasher.verify("correct horsf", stored)).toBe(false);
    expect(await hasher.verify("", stored)).toBe(false);
  });

  it("holds its parameters, and a salt of its own each time", async () => {
    const [one, two] = await Promise.all([hasher.hash("same password"), hasher.hash("same password")]);
    expect(one).toMatch(/^\$scrypt\$ln=10,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    expect(one).not.toBe(two);
  });

  it("made with other parameters still verifies, and says that it is outdated", async () => {
    const stored = await new PasswordHasher({ ln: 11, r: 8, p: 1 }).hash("correct horse");
    expect(await hasher.verify("correct horse", stored)).toBe(true);
    expect(hasher.outdated(stored)).toBe(true);
    expect(hasher.outdated(await hasher.hash("correct horse"))).toBe(false);
  });

  it("takes every spelling of the same characters", async () => {
    const stored = await hasher.hash("пароль-\u0439");
    expect(await hasher.verify("пароль-\u0438\u0306", stored)).toBe(true);
  });

  it("that is damaged is a defect, not a wrong password", async () => {
    await expect(hasher.verify("x", "$scrypt$ln=10")).rejects.toThrow("damaged");
  });
});

describe("An account without a password", () => {
  it("never fits, not even by chance, and costs as much work as one with", async () => {
    const hasher = new PasswordHasher({ ln: 14, r: 8, p: 1 });
    const stored = await hasher.hash("correct horse");
    const known = await cpu(() => hasher.verify("wrong", stored));
    const unknown = await cpu(() => hasher.verify("wrong", null));
    expect(await hasher.verify("wrong", null)).toBe(false);
    expect(unknown / known).toBeGreaterThan(0.3);
  });

  async function cpu(work: () => Promise<unknown>): Promise<number> {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  }
});

describe("A flood of logins", () => {
  it("is refused as busy once too many wait, and the waiting ones are served", async () => {
    const hasher = new PasswordHasher(CHEAP, 3);
    const stored = await hasher.hash("p");
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => hasher.verify("p", stored)));
    const served = outcomes.filter((outcome) => outcome.status === "fulfilled");
    const refused = outcomes.flatMap((outcome) =>
      outcome.status === "rejected" ? [outcome.reason as unknown] : [],
    );
    expect(served).toHaveLength(5);
    expect(refused).toHaveLength(3);
    for (const reason of refused) expect(reason).toBeInstanceOf(UnavailableError);
    expect(await hasher.verify("p", stored)).toBe(true);
  });
});
