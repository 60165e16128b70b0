import { Column, Entity, PrimaryColumn } from "typeorm";

/** The one row that says which version of the menu is in force. */
@Entity("menu_head")
export class MenuHeadRow {
  @PrimaryColumn("boolean", { primaryKeyConstraintName: "menu_head_pkey", default: true })
  only_row!: boolean;

  @Column("integer")
  version!: number;

  @Column("text")
  currency!: string;

  @Column("integer", { default: 0 })
  draft_edits!: number;
}
