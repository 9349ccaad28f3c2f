/** What scripts add: filters and opacity of the gallery. Without them everything is shown. */
export const script = `
const controls = document.querySelector(".controls");
const cards = [...document.querySelectorAll(".gallery figure")];
const count = document.querySelector("#shown");
if (controls) {
  controls.hidden = false;
  const selects = [...controls.querySelectorAll("select")];
  const filter = () => {
    for (const card of cards) card.hidden = selects.some((one) => one.value && card.dataset[one.name] !== one.value);
    count.textContent = cards.filter((card) => !card.hidden).length + " of " + cards.length + " shown";
  };
  for (const one of selects) one.addEventListener("change", filter);
  const slider = controls.querySelector("input[type=range]");
  slider?.addEventListener("input", () => {
    document.documentElement.style.setProperty("--opacity", slider.value / 100);
    slider.setAttribute("aria-valuetext", slider.value + " percent");
  });
  filter();
}
`;
