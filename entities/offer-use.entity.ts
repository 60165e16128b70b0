import { Column, Entity, PrimaryColumn } from "typeorm";

/** How often a limited offer is used at the moment. */
@Entity({ name: "offer_uses" })
export class OfferUseEntity {
  @PrimaryColumn({ type: "uuid" }) offer_id!: string;
  @Column({ type: "integer" }) used!: number;
  /** Of the event that said so. */
  @Column({ type: "bigint" }) position!: number;
}
