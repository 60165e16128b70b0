import { Column, Entity, PrimaryColumn } from "typeorm";

/** What the chain writes for its guests; readers see those that are published. */
@Entity("posts")
export class PostRow {
  @PrimaryColumn("uuid", { primaryKeyConstraintName: "posts_pkey" })
  post_id!: string;

  @Column("uuid", { nullable: true })
  author_id!: string | null;

  @Column("text")
  title_ru!: string;

  @Column("text")
  title_en!: string;

  @Column("text")
  body_ru!: string;

  @Column("text")
  body_en!: string;

  @Column("text", { nullable: true })
  image!: string | null;

  @Column("text", { default: "draft" })
  status!: "draft" | "published" | "archived";

  @Column("timestamptz", { nullable: true })
  published_at!: Date | null;

  @Column("timestamptz")
  created_at!: Date;

  @Column("timestamptz")
  updated_at!: Date;

  @Column("integer")
  version!: number;
}
