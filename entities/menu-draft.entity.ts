import { Column, Entity, PrimaryColumn } from "typeorm";

/** An edit of one item that waits for a publish. */
@Entity("menu_drafts")
export class MenuDraftRow {
  @PrimaryColumn("uuid", { primaryKeyConstraintName: "menu_drafts_pkey" })
  item_id!: string;

  @Column("text")
  kind!: "pizza" | "set" | "extra";

  @Column("text")
  change!: "create" | "change" | "delete";

  @Column("jsonb", { default: {} })
  fields!: Record<string, unknown>;

  @Column("text", { nullable: true })
  edited_by!: string | null;

  @Column("timestamptz")
  edited_at!: Date;
}
