import { Column, Entity, PrimaryColumn } from "typeorm";

/** Who has viewed which post: once and for ever. */
@Entity("post_views")
export class PostViewRow {
  @PrimaryColumn("uuid", { primaryKeyConstraintName: "post_views_pkey" })
  post_id!: string;

  @PrimaryColumn("uuid", { primaryKeyConstraintName: "post_views_pkey" })
  user_id!: string;

  @Column("timestamptz")
  viewed_at!: Date;
}
