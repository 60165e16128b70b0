import { Column, Entity, PrimaryColumn } from "typeorm";

/** One slot of the board that was ever booked or set. */
@Entity({ name: "slots" })
export class SlotEntity {
  @PrimaryColumn({ type: "text" }) slot_id!: string;
  @Column({ type: "uuid" }) branch_id!: string;
  @Column({ type: "date" }) business_date!: string;
  @Column({ type: "timestamptz" }) start_at!: Date;
  @Column({ type: "timestamptz" }) end_at!: Date;
  @Column({ type: "bigint" }) capacity_minor!: number;
  /** Null: the branch's rule applies. */
  @Column({ type: "bigint", nullable: true }) own_capacity_minor!: number | null;
  @Column({ type: "bigint" }) load_minor!: number;
  @Column({ type: "integer" }) orders_count!: number;
  @Column({ type: "integer" }) delivery_count!: number;
  @Column({ type: "integer" }) pickup_count!: number;
  @Column({ type: "integer", nullable: true }) delivery_plan!: number | null;
  @Column({ type: "integer", nullable: true }) pickup_plan!: number | null;
  @Column({ type: "boolean" }) disabled!: boolean;
  /** Of the newest event that touched the slot. */
  @Column({ type: "bigint" }) position!: number;
}
