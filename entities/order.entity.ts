import { Column, Entity, PrimaryColumn } from "typeorm";

/** One order of the read model. Partitioned by month of `placed_at`; money in minor units. */
@Entity({ name: "orders" })
export class OrderEntity {
  @PrimaryColumn({ type: "uuid" }) order_id!: string;
  @PrimaryColumn({ type: "timestamptz" }) placed_at!: Date;
  @Column({ type: "uuid" }) branch_id!: string;
  @Column({ type: "text" }) display_id!: string;
  /** `YYYY-MM-DD`, local to the branch. */
  @Column({ type: "date" }) business_date!: string;
  @Column({ type: "text" }) channel!: string;
  @Column({ type: "text" }) fulfilment!: string;
  @Column({ type: "text" }) status!: string;
  @Column({ type: "uuid", nullable: true }) user_id!: string | null;
  @Column({ type: "text", nullable: true }) customer_name!: string | null;
  @Column({ type: "text", nullable: true }) customer_phone!: string | null;
  @Column({ type: "text", nullable: true }) address!: string | null;
  @Column({ type: "text" }) payment_method!: string;
  @Column({ type: "text", nullable: true }) notes!: string | null;
  @Column({ type: "text" }) currency!: string;
  @Column({ type: "integer" }) menu_version!: number;
  @Column({ type: "bigint" }) items_total_minor!: number;
  @Column({ type: "bigint" }) delivery_fee_minor!: number;
  @Column({ type: "bigint" }) discount_minor!: number;
  @Column({ type: "bigint" }) total_minor!: number;
  @Column({ type: "text", nullable: true }) promo_code!: string | null;
  @Column({ type: "timestamptz", nullable: true }) preferred_time!: Date | null;
  @Column({ type: "text" }) track_token!: string;
  @Column({ type: "jsonb" }) shares!: { slot_id: string; start: string; end: string; amount_minor: number }[];
  @Column({ type: "timestamptz" }) ready_at!: Date;
  @Column({ type: "timestamptz" }) visible_at!: Date;
  @Column({ type: "boolean" }) preorder!: boolean;
  @Column({ type: "bigint" }) refunded_total_minor!: number;
  @Column({ type: "timestamptz", nullable: true }) processed_at!: Date | null;
  @Column({ type: "uuid", nullable: true }) processed_by!: string | null;
  @Column({ type: "text", nullable: true }) cancel_reason!: string | null;
  @Column({ type: "timestamptz", nullable: true }) closed_at!: Date | null;
  /** The courier who carried it last. */
  @Column({ type: "uuid", nullable: true }) courier_id!: string | null;
  @Column({ type: "timestamptz" }) updated_at!: Date;
  /** Log position of the newest event in this row. */
  @Column({ type: "bigint" }) position!: number;
}
