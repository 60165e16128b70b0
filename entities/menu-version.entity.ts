import { Column, Entity, PrimaryColumn } from "typeorm";

/** A menu that was in force, whole and immutable. */
@Entity("menu_versions")
export class MenuVersionRow {
  @PrimaryColumn("integer", { primaryKeyConstraintName: "menu_versions_pkey" })
  version!: number;

  @Column("jsonb")
  document!: Record<string, unknown>;

  @Column("timestamptz")
  published_at!: Date;

  @Column("text", { nullable: true })
  published_by!: string | null;

  @Column("text", { nullable: true })
  note!: string | null;

  @Column("text")
  cause!: "publish" | "reload" | "availability" | "rollback";

  @Column("integer", { nullable: true })
  restored_from!: number | null;

  @Column("uuid", { array: true })
  changed!: string[];
}
