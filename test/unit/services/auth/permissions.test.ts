import { allows } from "../../../../mixins/contract/permissions";
import { CONTRACTS } from "../../../support/contracts";
import { EVERYBODY, goldenRights, LETTERS, type Letter } from "../../../support/rights.golden";

/** Operations that look further than at the role: whose order it is, whose review, what step a role may make. */
const NARROWER = [
  "order.get",
  "order.history",
  "order.get_mine",
  "order.cancel",
  "order.cancel_mine",
  "order.advance",
  "cart.reorder",
  "shop.review_edit",
  "shop.review_remove",
  "camera.events_send",
];
/** Called by other services alone, and with no REST binding: nobody from outside can ask for them. */
const WITHOUT_BINDING = ["menu.get", "views.count"];

/**
 * The permission table against the one that people have approved (`rights.golden.txt`), in milliseconds; `e2e/rights.test.ts`
 * asks a whole Forno the same.
 */
describe("the permission table", () => {
  const golden = goldenRights();
  const bound = CONTRACTS.flatMap((contract) =>
    (contract.rest ?? []).map(
      ({ method, path }) =>
        [`${method} ${path}`, contract.name, contract.permission, contract.reach] as const,
    ),
  );

  it.each(bound)("%s (%s) lets in whom the golden table names", (operation, name, permission, reach) => {
    // The staff of the table are bound to a branch, but for the super admin.
    const reaches = (who: Letter): boolean => reach !== "chain" || who === "s";
    const allowed = EVERYBODY.map((who) =>
      allows(permission, LETTERS[who]) && reaches(who) ? "+" : "-",
    ).join("");
    const approved = (golden.get(operation)?.own ?? "none").replaceAll(/[a-z.]/g, "+");
    if (!NARROWER.includes(name)) expect(allowed).toBe(approved);
    // A narrower operation refuses some whom the table lets in, and nobody less.
    else
      for (const [at, who] of EVERYBODY.entries())
        if (approved[at] === "+") expect([who, allowed[at]]).toEqual([who, "+"]);
  });

  it("leaves no operation without a row, and gives internal ones no way in from outside", () => {
    const known = [...golden.keys()];
    for (const [operation] of bound) expect(known).toContain(operation);
    const unbound = CONTRACTS.filter(({ rest = [] }) => rest.length === 0);
    expect(unbound.filter(({ permission }) => permission !== "internal").map(({ name }) => name)).toEqual(
      WITHOUT_BINDING,
    );
    for (const { permission, rest } of CONTRACTS)
      if (permission === "internal") expect(rest ?? []).toEqual([]);
  });
});
