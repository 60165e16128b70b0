import type { CountryCode } from "libphonenumber-js/min";
import { isRefusal, refuse, type Refusal } from "../../mixins/contract/refusal";
import { emailOf, usernameOf } from "../../mixins/text/forms";
import { withPhone } from "../../mixins/text/phone";
import type { UserRole, UserStatus } from "./auth.events";
import type { UserRow } from "./users";

/** What a request says about an account; absent is "leave as it is", null is "none". */
export interface AccountWish {
  readonly role?: UserRole;
  readonly status?: UserStatus;
  readonly name?: string;
  readonly email?: string | null;
  readonly username?: string | null;
  readonly phone?: string | null;
  readonly branch_ids?: readonly string[] | null;
  readonly legal_entity_id?: string | null;
}

/** The part of an account that requests may change. */
export type AccountFields = Required<AccountWish>;

/** What a new account is, where the request says nothing. */
export const NEW_ACCOUNT: Omit<AccountFields, "role" | "name"> = {
  status: "active",
  email: null,
  username: null,
  phone: null,
  branch_ids: null,
  legal_entity_id: null,
};

/** Works at branches that must be named. */
const BOUND_TO_BRANCHES: ReadonlySet<UserRole> = new Set<UserRole>(["manager", "cook", "courier"]);
/** Has no branches at all: the chain's head, and those who eat. */
const WITHOUT_BRANCHES: ReadonlySet<UserRole> = new Set<UserRole>(["super_admin", "customer"]);

/**
 * The account as the request wants it. Refusals: `auth.phone_invalid`, `auth.role_needs_branches`.
 * @param country whose habits hold where a phone comes without its country code
 */
export function wishedAccount(
  now: AccountFields,
  wish: AccountWish,
  country: CountryCode,
): AccountFields | Refusal {
  const named = withPhone(wish, country, "auth.phone_invalid");
  if (isRefusal(named)) return named;
  const wanted = { ...now, ...named };
  const branch_ids = WITHOUT_BRANCHES.has(wanted.role) ? null : wanted.branch_ids;
  if (BOUND_TO_BRANCHES.has(wanted.role) && (branch_ids === null || branch_ids.length === 0))
    return refuse(
      "unprocessable",
      "auth.role_needs_branches",
      `A ${wanted.role} works at a branch: name it in branch_ids.`,
    );
  return {
    role: wanted.role,
    status: wanted.status,
    name: wanted.name.trim(),
    email: wanted.email === null ? null : emailOf(wanted.email),
    username: wanted.username === null ? null : usernameOf(wanted.username),
    phone: wanted.phone,
    branch_ids: branch_ids === null ? null : [...branch_ids],
    legal_entity_id: wanted.legal_entity_id,
  };
}

/** Names of the fields that differ. */
export function changedFields(before: AccountFields, after: AccountFields): string[] {
  const keys = Object.keys(after) as (keyof AccountFields)[];
  return keys.filter((key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]));
}

/** The changeable part of a row. */
export function fieldsOf(user: UserRow): AccountFields {
  const { role, status, name, email, username, phone, branch_ids, legal_entity_id } = user;
  return { role, status, name, email, username, phone, branch_ids, legal_entity_id };
}

/** Where a user works, for a token: who is bound to branches and has none works nowhere; null would mean everywhere. */
export function branchesOf({
  role,
  branch_ids,
}: Pick<UserRow, "role" | "branch_ids">): readonly string[] | null {
  return BOUND_TO_BRANCHES.has(role) ? (branch_ids ?? []) : branch_ids;
}

/** A row that nobody may sign in to any more counts as no super admin. */
export function isActiveSuperAdmin({ role, status }: Pick<AccountFields, "role" | "status">): boolean {
  return role === "super_admin" && status === "active";
}
