/** What a replica holds a copy of; shop reads name the part that they read. */
export type PublishedPart = "products" | "users" | "flash_sales";

/** A table of a publication. */
export interface PublishedTable {
  readonly table: string;
  /**
   * The columns that leave the primary; all of them unless said. PostgreSQL then refuses to drop or change one of them, and
   * with it a migration: use a list only where something must not leave.
   */
  readonly columns?: readonly string[];
}

export interface Publication {
  readonly part: PublishedPart;
  /** Its name on the primary. */
  readonly publication: string;
  /** The subscription's name on a replica. */
  readonly subscription: string;
  readonly tables: readonly PublishedTable[];
}

/** Carried by every publication, each its own row. */
export const HEARTBEATS = "replica_heartbeats";

/**
 * What is published. Promo codes are not: a code is worth money to whoever reads it, and no shop read needs the table.
 * Of accounts a named list leaves, so that a column which is added one day, a secret maybe, stays at home until somebody
 * decides otherwise.
 */
export const PUBLICATIONS: readonly Publication[] = [
  {
    part: "products",
    publication: "pub_products",
    subscription: "sub_products",
    tables: [{ table: "menu_items" }, { table: "menu_versions" }, { table: "menu_head" }],
  },
  {
    part: "users",
    publication: "pub_users",
    subscription: "sub_users",
    tables: [
      {
        table: "users",
        columns: [
          ...["user_id", "role", "status", "name", "email", "phone", "branch_ids", "legal_entity_id"],
          ...["version", "rights_version", "created_at", "changed_at"],
        ],
      },
    ],
  },
  {
    part: "flash_sales",
    publication: "pub_flash_sales",
    subscription: "sub_flash_sales",
    tables: [{ table: "flash_sales" }],
  },
];
