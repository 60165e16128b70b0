import { normalisedEmail } from "../../../../services/auth/identifiers";

describe("An email", () => {
  it.each([
    [" Anna@Example.COM", "anna@example.com"],
    ["ａnna@example.com", "anna@example.com"],
  ])("%s is %s", (typed, kept) => {
    expect(normalisedEmail(typed)).toBe(kept);
  });
});
