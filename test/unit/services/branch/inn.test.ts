import { isInn } from "../../../../services/branch/inn";

describe("An INN", () => {
  it.each(["7707083893", "7830002293", "500100732259"])("%s has the right check digits", (text) => {
    expect(isInn(text)).toBe(true);
  });

  it.each(["7707083894", "500100732258", "500100732269", "770708389", "77070838930", "770708389x", ""])(
    "%p is none",
    (text) => {
      expect(isInn(text)).toBe(false);
    },
  );
});
