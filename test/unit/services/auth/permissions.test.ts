import type { Role } from "../../../../mixins/contract/caller";
import { allows } from "../../../../mixins/contract/permissions";
import { authContracts } from "../../../../services/auth/auth.contract";
import { branchContracts } from "../../../../services/branch/branch.contract";
import { legalEntityContracts } from "../../../../services/branch/legal-entity.contract";

const ROLES = [
  "super_admin",
  "manager",
  "technologist",
  "cook",
  "courier",
  "customer",
  "guest",
] as const satisfies readonly Role[];

/** Who may call what, written out a second time by hand: s super_admin, m manager, t technologist, c cook, d courier, k customer, g guest. */
const EXPECTED: Record<string, string> = {
  "auth.super_admin_login": "smtcdkg",
  "auth.register": "smtcdkg",
  "auth.login": "smtcdkg",
  "auth.refresh": "smtcdkg",
  "auth.logout": "smtcdkg",
  "auth.me": "smtcdk-",
  "auth.change_password": "smtcdk-",
  "auth.user_list": "s------",
  "auth.user_get": "s------",
  "auth.user_create": "s------",
  "auth.user_change": "s------",
  "auth.user_reset_password": "s------",
  "auth.user_revoke_sessions": "s------",
  "branch.get": "-------",
  "branch.list": "smtcdkg",
  "branch.open": "s------",
  "branch.change": "s------",
  "branch.slot_config": "smtcd--",
  "branch.configure_slots": "sm-----",
  "branch.legal_entity_get": "-------",
  "branch.legal_entity_list": "s------",
  "branch.legal_entity_create": "s------",
};

describe("The permission table", () => {
  const contracts = [...authContracts, ...branchContracts, ...legalEntityContracts];

  it.each(contracts.map((each) => [each.name, each] as const))(
    "says who may call %s",
    (name, { permission }) => {
      const letters = ROLES.map((role, at) => (allows(permission, role) ? "smtcdkg"[at] : "-")).join("");
      expect(letters).toBe(EXPECTED[name]);
    },
  );

  it("covers every operation of both rooms, and internal ones have no door to the outside", () => {
    expect(contracts.map(({ name }) => name).sort()).toEqual(Object.keys(EXPECTED).sort());
    for (const { permission, rest } of contracts)
      if (permission === "internal") expect(rest ?? []).toEqual([]);
  });
});
