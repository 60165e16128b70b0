import { derivedUuid } from "../../mixins/derived-id";
import type { Post } from "./post.events";

type SeedPost = Pick<Post, "post_id" | "title" | "body" | "image">;

const post = (name: string, title: Post["title"], body: Post["body"]): SeedPost => ({
  ...{ post_id: derivedUuid(`seed post ${name}`), title, body, image: null },
});

/** The posts of a first start, the oldest first. */
export const SEED_POSTS: readonly SeedPost[] = [
  post(
    "dough",
    { ru: "Почему тесто ждёт двое суток", en: "Why the dough waits for two days" },
    {
      ru: "Холодная расстойка даёт тонкую хрустящую корочку и вкус хлеба. Мы замешиваем сегодня то, что вы съедите послезавтра.",
      en: "Slow and cold, it rises into a thin, crisp crust that tastes of bread. What we knead today you will eat the day after tomorrow.",
    },
  ),
  post(
    "tomatoes",
    { ru: "Откуда наши томаты", en: "Where our tomatoes come from" },
    {
      ru: "Летом — с полей под Минусинском, зимой — из теплиц. Для соуса берём только спелые, без сахара и крахмала.",
      en: "In summer from the fields of Minusinsk, in winter from greenhouses. For the sauce only ripe ones, without sugar or starch.",
    },
  ),
  post(
    "krasnoyarsk",
    { ru: "Форно на Мира: мы открылись в Красноярске", en: "Forno Mira: we are in Krasnoyarsk" },
    {
      ru: "Проспект Мира, 80. Ждём вас каждый день с 9:45 до 23:45.",
      en: "80 Mira Avenue. Come and see us every day from 9:45 to 23:45.",
    },
  ),
  post(
    "oven",
    { ru: "Четыреста градусов и две минуты", en: "Four hundred degrees and two minutes" },
    {
      ru: "Столько пицца проводит в печи. Рассказываем, почему дольше — хуже, а горячее — вкуснее.",
      en: "That is how long a pizza stays in the oven. Longer is worse, hotter is better: here is why.",
    },
  ),
  post(
    "promise",
    { ru: "Как мы обещаем время", en: "How we promise a time" },
    {
      ru: "Кухня берёт столько заказов, сколько успевает. Поэтому время в вашем заказе — обещание, а не надежда.",
      en: "The kitchen takes as many orders as it can make. So the time on your order is a promise and not a hope.",
    },
  ),
];
