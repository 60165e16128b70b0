import { Column, Entity, PrimaryColumn } from "typeorm";

/** New views of a post on one day, as far as they are synchronised. */
@Entity("post_view_days")
export class PostViewDayRow {
  @PrimaryColumn("uuid", { primaryKeyConstraintName: "post_view_days_pkey" })
  post_id!: string;

  /** In UTC. */
  @PrimaryColumn("date", { primaryKeyConstraintName: "post_view_days_pkey" })
  day!: string;

  @Column("bigint")
  views!: number;
}
