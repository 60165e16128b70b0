-- People search for the number on the receipt (M-2339), and as often for its digits without the branch's letters.
drop index orders_by_display_id;
create index orders_by_display_id on orders (reverse(display_id) text_pattern_ops);
