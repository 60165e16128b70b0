import { randomUUID } from "node:crypto";
import {
  NEW_ACCOUNT,
  branchesOf,
  changedFields,
  isActiveSuperAdmin,
  wishedAccount,
  type AccountFields,
} from "../../../../services/auth/account";

const branch_id = randomUUID();
const customer: AccountFields = { ...NEW_ACCOUNT, role: "customer", name: "Anna", email: "anna@example.com" };

describe("An account", () => {
  it("is written in one spelling", () => {
    const wish = {
      name: "  Anna ",
      email: " Anna@Example.COM ",
      username: "ANNA",
      phone: "8 (923) 123-45-67",
    };
    expect(wishedAccount(customer, wish, "RU")).toMatchObject({
      name: "Anna",
      email: "anna@example.com",
      username: "anna",
      phone: "+79231234567",
    });
  });

  it("keeps what a wish does not name and drops what it names as null", () => {
    const before: AccountFields = { ...customer, phone: "+79231234567", username: "anna" };
    expect(wishedAccount(before, { username: null }, "RU")).toEqual({ ...before, username: null });
  });

  it("has its phone by the habits of the chain's country", () => {
    expect(wishedAccount(customer, { phone: "030 901820" }, "DE")).toMatchObject({ phone: "+4930901820" });
  });

  it("of old whose phone is none may still be changed otherwise", () => {
    const old = { ...customer, phone: "+8800555" };
    expect(wishedAccount(old, { name: "Anna K" }, "RU")).toEqual({ ...old, name: "Anna K" });
  });

  it("cannot have a phone that is none", () => {
    expect(wishedAccount(customer, { phone: "12 34" }, "RU")).toMatchObject({
      refused: "unprocessable",
      code: "auth.phone_invalid",
    });
  });

  it.each(["manager", "cook", "courier"] as const)("of a %s needs a branch", (role) => {
    expect(wishedAccount(customer, { role }, "RU")).toMatchObject({ code: "auth.role_needs_branches" });
    expect(wishedAccount(customer, { role, branch_ids: [] }, "RU")).toMatchObject({
      code: "auth.role_needs_branches",
    });
    expect(wishedAccount(customer, { role, branch_ids: [branch_id] }, "RU")).toMatchObject({
      role,
      branch_ids: [branch_id],
    });
  });

  it.each(["super_admin", "customer"] as const)("of a %s has no branches", (role) => {
    expect(wishedAccount(customer, { role, branch_ids: [branch_id] }, "RU")).toMatchObject({
      branch_ids: null,
    });
  });

  it("names the fields that a change has changed", () => {
    const after = wishedAccount(customer, { role: "cook", branch_ids: [branch_id], name: "Anna" }, "RU");
    expect(changedFields(customer, after as AccountFields)).toEqual(["role", "branch_ids"]);
  });

  it("of staff without branches works nowhere, not everywhere", () => {
    expect(branchesOf({ role: "cook", branch_ids: null })).toEqual([]);
    expect(branchesOf({ role: "technologist", branch_ids: null })).toBeNull();
    expect(branchesOf({ role: "super_admin", branch_ids: null })).toBeNull();
  });

  it("that is blocked is no super admin to count on", () => {
    expect(isActiveSuperAdmin({ role: "super_admin", status: "active" })).toBe(true);
    expect(isActiveSuperAdmin({ role: "super_admin", status: "blocked" })).toBe(false);
    expect(isActiveSuperAdmin({ role: "manager", status: "active" })).toBe(false);
  });
});
