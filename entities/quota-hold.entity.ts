import { Column, Entity, PrimaryColumn } from "typeorm";

/** What one order has taken of a limited offer. */
@Entity({ name: "quota_holds" })
export class QuotaHoldEntity {
  @PrimaryColumn({ type: "uuid" }) hold_id!: string;
  @Column({ type: "uuid" }) quota_id!: string;
  @Column({ type: "integer" }) units!: number;
  @Column({ type: "uuid", nullable: true }) user_id!: string | null;
  @Column({ type: "uuid" }) command_id!: string;
  @Column({ type: "text" }) fingerprint!: string;
  /** Null until that order is known to have been placed. */
  @Column({ type: "uuid", nullable: true }) order_id!: string | null;
  @Column({ type: "timestamptz" }) taken_at!: Date;
}
