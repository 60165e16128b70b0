import { normalisedEmail, normalisedPhone } from "../../../../services/auth/identifiers";

describe("An email", () => {
  it.each([
    [" Anna@Example.COM", "anna@example.com"],
    ["ａnna@example.com", "anna@example.com"],
  ])("%s is %s", (typed, kept) => {
    expect(normalisedEmail(typed)).toBe(kept);
  });
});

describe("A phone", () => {
  it.each([
    ["+7 923 123-45-67", "+79231234567"],
    ["8 (923) 123-45-67", "+79231234567"],
    ["923 123 45 67", "+79231234567"],
    ["79231234567", "+79231234567"],
    ["+44 20 7946 0958", "+442079460958"],
    ["+8 800 555", "+8800555"],
    ["12 34", undefined],
    ["+0 123 456 789", undefined],
    ["1234567890123456", undefined],
  ])("%s is %s", (typed, kept) => {
    expect(normalisedPhone(typed)).toBe(kept);
  });
});
