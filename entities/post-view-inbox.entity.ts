import { Column, Entity, PrimaryGeneratedColumn } from "typeorm";

/** New views that are not in `post_view_days` yet. */
@Entity("post_view_inbox")
export class PostViewInboxRow {
  @PrimaryGeneratedColumn("identity", {
    type: "bigint",
    primaryKeyConstraintName: "post_view_inbox_pkey",
    generatedIdentity: "ALWAYS",
  })
  inbox_id!: number;

  @Column("uuid")
  post_id!: string;

  /** In UTC. */
  @Column("date")
  day!: string;

  @Column("integer")
  views!: number;
}
