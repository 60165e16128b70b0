import { Column, Entity, PrimaryColumn } from "typeorm";

/** A code that takes something off an order. */
@Entity("promo_codes")
export class PromoCodeRow {
  @PrimaryColumn("uuid", { primaryKeyConstraintName: "promo_codes_pkey" })
  promo_id!: string;

  @Column("text", { unique: true })
  code!: string;

  @Column("integer", { nullable: true })
  percent!: number | null;

  @Column("bigint", { nullable: true })
  amount_minor!: number | null;

  @Column("bigint", { default: 0 })
  min_total_minor!: number;

  @Column("timestamptz", { nullable: true })
  valid_from!: Date | null;

  @Column("timestamptz", { nullable: true })
  valid_until!: Date | null;

  @Column("boolean", { default: true })
  active!: boolean;

  @Column("integer", { nullable: true })
  limit_total!: number | null;

  @Column("integer", { nullable: true })
  limit_per_user!: number | null;

  @Column("boolean", { default: false })
  first_order_only!: boolean;

  @Column("timestamptz", { default: () => "now()" })
  updated_at!: Date;

  @Column("integer", { default: 0 })
  version!: number;
}
