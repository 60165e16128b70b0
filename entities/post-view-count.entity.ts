import { Column, Entity, PrimaryColumn } from "typeorm";

/** Views of a post, exact at every moment. */
@Entity("post_view_counts")
export class PostViewCountRow {
  @PrimaryColumn("uuid", { primaryKeyConstraintName: "post_view_counts_pkey" })
  post_id!: string;

  @Column("bigint")
  views!: number;
}
