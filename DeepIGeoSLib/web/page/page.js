// Keys, uploads and dropped files. What they do is said in Python.
(function () {
  "use strict";

  function typing(target) {
    return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName) && target.type !== "checkbox" && target.type !== "range";
  }

  window.addEventListener("keydown", function (event) {
    if (typing(event.target) || event.altKey || event.metaKey) return;
    const key = (event.ctrlKey ? "Ctrl+" : "") + (event.key.length === 1 ? event.key.toUpperCase() : event.key);
    const known = (window.trame && window.trame.state.get("shortcuts")) || [];
    if (!known.includes(key)) return;
    event.preventDefault();
    if (key === "Escape") cancelUpload();
    window.trame.trigger("key", [key]);
  }, true);

  let sending = null; // the upload that runs

  function cancelUpload() {
    if (sending) sending.abort();
  }

  async function upload(files) {
    if (!files.length) return;
    cancelUpload(); // the newest wins
    const mine = sending = new AbortController();
    const form = new FormData();
    for (const file of files) form.append("file", file, file.name);
    window.trame.state.set("uploading", true);
    window.trame.state.set("problem", "");
    try {
      const response = await fetch("./upload", { method: "POST", body: form, signal: mine.signal });
      if (!response.ok) window.trame.state.set("problem", (await response.text()) || "The upload failed.");
    } catch (error) {
      if (!mine.signal.aborted) window.trame.state.set("problem", "The upload was interrupted; please try again.");
    }
    if (sending !== mine) return;
    sending = null;
    window.trame.state.set("uploading", false);
  }

  function takeFiles(event) {
    const files = Array.from(event.target.files);
    event.target.value = "";
    upload(files);
  }

  function chooseFiles() {
    document.getElementById("files").click();
  }

  async function download(ending) {
    await window.trame.trigger("arrived"); // behind all strokes
    const response = await fetch("./download/" + ending);
    if (!response.ok) { window.trame.state.set("problem", await response.text()); return; }
    const name = decodeURIComponent(/''(.+)$/.exec(response.headers.get("Content-Disposition"))[1]);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = name;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 10000);
  }

  // The page's widgets see trame's utils, and nothing else of this script.
  window.trame.utils.deepigeos = { cancelUpload, chooseFiles, takeFiles, download };

  let inside = 0;
  window.addEventListener("dragenter", function (event) { event.preventDefault(); inside += 1; document.body.classList.add("dropping"); });
  window.addEventListener("dragleave", function () { inside -= 1; if (inside <= 0) document.body.classList.remove("dropping"); });
  window.addEventListener("dragover", function (event) { event.preventDefault(); });
  window.addEventListener("drop", function (event) {
    event.preventDefault();
    inside = 0;
    document.body.classList.remove("dropping");
    upload(Array.from(event.dataTransfer.files));
  });

  // The browser's own menu would cover what the right button zooms.
  window.addEventListener("contextmenu", function (event) { if (event.target.closest(".layout-grid-item")) event.preventDefault(); });
})();
