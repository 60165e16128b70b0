-- A search gives the first digits of a number as well as the last (orders_by_phone).
create index orders_by_phone_start on orders (customer_phone text_pattern_ops) where customer_phone is not null;

-- Numbers of ten digits that Russian habits of typing were not enough for; they begin with an area code.
update orders set customer_phone = '+7' || customer_phone where customer_phone ~ '^[3-8][0-9]{9}$';
