import { Column, Entity, PrimaryColumn } from "typeorm";

/** A live row of the menu; may be edited by hand, so nothing of its content is certain. */
@Entity("menu_items")
export class MenuItemRow {
  @PrimaryColumn("uuid", { primaryKeyConstraintName: "menu_items_pkey", default: () => "gen_random_uuid()" })
  item_id!: string;

  @Column("text")
  kind!: "pizza" | "set" | "extra";

  @Column("text")
  name_ru!: string;

  @Column("text")
  name_en!: string;

  @Column("bigint")
  price_minor!: number;

  @Column("boolean", { default: true })
  available!: boolean;

  @Column("text", { nullable: true })
  image!: string | null;

  @Column("integer", { default: 1000 })
  sort_order!: number;

  @Column("jsonb", { default: [] })
  ingredients!: unknown;

  @Column("uuid", { array: true, default: [] })
  extras!: string[];

  @Column("jsonb", { default: [] })
  items!: unknown;
}
