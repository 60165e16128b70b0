import { Column, Entity, PrimaryColumn } from "typeorm";

/** A cart that there is, without its contents. */
@Entity({ name: "carts" })
export class CartRow {
  @PrimaryColumn({ type: "uuid" }) cart_id!: string;
  /** Null: a guest's. */
  @Column({ type: "uuid", nullable: true }) user_id!: string | null;
  @Column({ type: "integer" }) lines_count!: number;
  @Column({ type: "timestamptz", nullable: true }) checkout_at!: Date | null;
  @Column({ type: "timestamptz" }) changed_at!: Date;
  /** Of the newest event that touched the cart. */
  @Column({ type: "bigint" }) position!: number;
}
