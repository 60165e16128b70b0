import { Column, Entity, PrimaryColumn } from "typeorm";

/** One line of an order of the read model. */
@Entity({ name: "order_items" })
export class OrderItemEntity {
  @PrimaryColumn({ type: "uuid" }) order_id!: string;
  @PrimaryColumn({ type: "timestamptz" }) placed_at!: Date;
  /** From 1, in the order of the receipt. */
  @PrimaryColumn({ type: "smallint" }) line_no!: number;
  @Column({ type: "text" }) kind!: string;
  @Column({ type: "uuid" }) menu_item_id!: string;
  @Column({ type: "text" }) name_ru!: string;
  @Column({ type: "text" }) name_en!: string;
  @Column({ type: "smallint" }) quantity!: number;
  @Column({ type: "bigint" }) unit_price_minor!: number;
  @Column({ type: "bigint" }) list_price_minor!: number;
  @Column({ type: "uuid", nullable: true }) flash_sale_id!: string | null;
  @Column({ type: "jsonb" }) extras!: {
    extra_id: string;
    name: { ru: string; en: string };
    price_minor: number;
  }[];
  @Column({ type: "jsonb" }) exclude_ingredients!: string[];
  @Column({ type: "bigint" }) line_total_minor!: number;
}
