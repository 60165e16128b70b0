import { Column, Entity, PrimaryColumn } from "typeorm";

/** A branch, as its stream has made it. */
@Entity({ name: "branches" })
export class BranchEntity {
  @PrimaryColumn({ type: "uuid" }) branch_id!: string;
  @Column({ type: "text" }) code!: string;
  @Column({ type: "jsonb" }) name!: { ru: string; en: string };
  @Column({ type: "jsonb" }) address!: { ru: string; en: string };
  @Column({ type: "text", nullable: true }) phone!: string | null;
  @Column({ type: "text" }) time_zone!: string;
  @Column({ type: "text" }) currency!: string;
  @Column({ type: "bigint" }) delivery_fee_minor!: number;
  @Column({ type: "bigint", nullable: true }) free_delivery_from_minor!: number | null;
  @Column({ type: "boolean" }) is_default!: boolean;
  @Column({ type: "uuid", nullable: true }) legal_entity_id!: string | null;
  @Column({ type: "jsonb" }) slot_rules!: object;
  @Column({ type: "integer" }) version!: number;
}
