"use strict";
// What only a browser can do: show how an upload comes along, take a dropped file, and listen to a run's progress.
document.querySelectorAll("form.upload").forEach((form) => {
  const file = form.querySelector("input[type=file]");
  const bar = form.querySelector("progress");
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length) { file.files = event.dataTransfer.files; }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    // The server ends such a connection unheard, so the words have to come from here.
    if (file.files.length && file.files[0].size > Number(form.dataset.most)) { say(form, form.dataset.large); return; }
    const button = form.querySelector("button");
    button.disabled = true;
    bar.hidden = false;
    const sending = new XMLHttpRequest();
    sending.upload.addEventListener("progress", (step) => { bar.value = step.total ? 100 * step.loaded / step.total : 0; });
    sending.addEventListener("load", () => {
      if (sending.responseURL && sending.status < 400) { window.location.assign(sending.responseURL); return; }
      button.disabled = false;
      bar.hidden = true;
      say(form, sending.status >= 400 && sending.responseXML ? sending.responseXML.querySelector(".said").textContent : sending.statusText);
    });
    sending.addEventListener("error", () => { button.disabled = false; bar.hidden = true; form.submit(); });
    sending.responseType = "document";
    sending.open("POST", form.action);
    sending.send(new FormData(form));
  });
});
function say(form, words) {
  let place = form.querySelector(".said");
  if (!place) {
    place = document.createElement("p");
    place.className = "said";
    place.setAttribute("role", "alert");
    form.prepend(place);
  }
  place.textContent = words;
}
// What answers no event stream any more may be a session that is over, or a proxy whose server is being started anew.
function again() {
  fetch(window.location.href).then((answer) => { if (answer.ok) { window.location.reload(); } else { setTimeout(again, 3000); } })
    .catch(() => setTimeout(again, 3000));
}
document.querySelectorAll("[data-events]").forEach((card) => {
  const announce = card.querySelector("[data-announce]");
  const events = new EventSource(card.dataset.events);
  let said = 0;
  events.addEventListener("progress", (event) => {
    const facts = JSON.parse(event.data);
    announce.classList.add("unseen");
    card.querySelectorAll("[data-live]").forEach((place) => { place.textContent = facts[place.dataset.live] || ""; });
    const bar = card.querySelector("progress");
    bar.max = Math.max(1, facts.total);
    bar.value = facts.done;
    card.querySelectorAll("[data-count]").forEach((place) => {
      place.textContent = (facts.counts[place.dataset.count] || 0).toLocaleString("en");
    });
    if (Date.now() - said > 15000) { announce.textContent = facts.said; said = Date.now(); }
  });
  events.addEventListener("ended", () => { events.close(); window.location.reload(); });
  events.addEventListener("error", () => { announce.textContent = card.dataset.lost; announce.classList.remove("unseen"); said = 0; if (events.readyState === EventSource.CLOSED) { again(); } });
  window.addEventListener("pagehide", () => events.close());
});
// A tick that the server did not take is not kept: say so, and show what is kept.
["htmx:responseError", "htmx:sendError"].forEach((name) => document.body.addEventListener(name, (event) => {
  const kept = document.getElementById("kept");
  if (kept && event.target.getAttribute("form") === "decisions") { kept.textContent = kept.dataset.lost; }
}));
