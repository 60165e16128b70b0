import { Column, Entity, PrimaryColumn } from "typeorm";

/** The dishes of an order that can still be cancelled. */
@Entity({ name: "open_baskets" })
export class OpenBasketEntity {
  @PrimaryColumn({ type: "uuid" }) order_id!: string;
  @Column({ type: "uuid", array: true }) item_ids!: string[];
}
