import { Column, Entity, PrimaryColumn } from "typeorm";

/** How many orders hold both dishes; each pair has a row in either direction. */
@Entity({ name: "item_pairs" })
export class ItemPairEntity {
  @PrimaryColumn({ type: "uuid" }) item_id!: string;
  @PrimaryColumn({ type: "uuid" }) also_id!: string;
  @Column({ type: "integer" }) orders_count!: number;
}
