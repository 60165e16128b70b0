import { Column, Entity, PrimaryColumn } from "typeorm";

/** Lower prices in [starts_at, ends_at). */
@Entity("flash_sales")
export class FlashSaleRow {
  @PrimaryColumn("uuid", { primaryKeyConstraintName: "flash_sales_pkey" })
  sale_id!: string;

  @Column("text")
  name_ru!: string;

  @Column("text")
  name_en!: string;

  @Column("uuid", { array: true })
  item_ids!: string[];

  @Column("integer", { nullable: true })
  percent!: number | null;

  @Column("bigint", { nullable: true })
  price_minor!: number | null;

  @Column("timestamptz")
  starts_at!: Date;

  @Column("timestamptz")
  ends_at!: Date;

  @Column("integer", { nullable: true })
  limit_quantity!: number | null;

  @Column("text", { default: "planned" })
  phase!: string;

  @Column("timestamptz", { default: () => "now()" })
  updated_at!: Date;

  @Column("integer", { default: 0 })
  version!: number;
}
