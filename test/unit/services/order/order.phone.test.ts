import { normalisePhone, phoneSuffix } from "../../../../services/order/order.phone";

it.each([
  ["+7 (923) 123-45-67", "+79231234567"],
  ["8 923 123 45 67", "+79231234567"],
  ["79231234567", "+79231234567"],
  ["9231234567", "+79231234567"],
  ["0049 30 901820", "+4930901820"],
  ["+1 202 555 0143", "+12025550143"],
  ["2-12-85-06", "2128506"],
])("%s is kept as %s", (typed, kept) => {
  expect(normalisePhone(typed)).toBe(kept);
});

it("a search by the last digits and one by the whole number look for the end of what is kept", () => {
  expect("+79231234567".endsWith(phoneSuffix("45-67"))).toBe(true);
  expect("+79231234567".endsWith(phoneSuffix("8 923 123-45-67"))).toBe(true);
});
