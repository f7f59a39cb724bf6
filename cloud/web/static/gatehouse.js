/* Charts only where a page has one: the library is loaded when the first chart is there, drawn as SVG. */
"use strict";

const LIBRARY = document.currentScript.dataset.charts;
let libraryLoading = null;

function loadLibrary() {
  libraryLoading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = LIBRARY;
    script.onload = resolve;
    script.onerror = () => reject(new Error("chart library not found"));
    document.head.append(script);
  });
  return libraryLoading;
}

/* A chart is <figure class="chart" data-chart="id of a JSON script element">; the JSON is an ECharts option. */
async function draw(figure) {
  await loadLibrary();
  const option = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
  const chart = window.echarts.init(figure, null, { renderer: "svg" });
  chart.setOption({ animation: false, ...option });
  figure.dataset.drawn = "yes";
  new ResizeObserver(() => chart.resize()).observe(figure);
}

function drawNew(root) {
  for (const figure of root.querySelectorAll("[data-chart]:not([data-drawn])")) {
    figure.dataset.drawn = "loading";
    draw(figure).catch(() => { figure.textContent = "图表无法显示 chart not available"; });
  }
}

document.addEventListener("DOMContentLoaded", () => drawNew(document));
document.addEventListener("htmx:afterSettle", () => drawNew(document));
document.addEventListener("htmx:sendError", () => {
  document.getElementById("notice").textContent = "网络不通，请稍后再试 No connection; please try again";
});
/* Choosing in a filter is enough; without script its button does the same. */
document.addEventListener("change", (event) => {
  if (event.target.closest("form[data-filter]")) event.target.form.requestSubmit();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
