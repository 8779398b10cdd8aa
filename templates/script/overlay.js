  // The strength of all overlays or of one; the photo is shown without its map while the mouse button is held.
  document.body.append($("#view").content.cloneNode(true));
  $(".bar").append($(".view"));
  const slider = (label, value, changed) => {
    const input = document.createElement("input");
    Object.assign(input, { type: "range", min: 0, max: 100, value });
    input.setAttribute("aria-label", label);
    input.addEventListener("input", () => changed(input.value));
    return input;
  };
  {
    const all = $("#view-over");
    all.addEventListener("input", () => address.set("over", all.value === "90" ? "" : all.value));
    const own = [];
    listeners.push(() => {
      all.value = state.get("over") ?? 90;
      document.documentElement.style.setProperty("--over", all.value / 100);
      for (const [figure, input] of own) {
        if (!figure.style.getPropertyValue("--over")) input.value = all.value;
      }
    });
    for (const figure of $$("figure.cell")) {
      const over = $(".over", figure);
      if (!over) continue;
      const tools = document.createElement("div");
      tools.className = "tools";
      const alt = $("title", over.closest("svg")).textContent;
      const input = slider(`${words.strength}: ${alt}`, 90, (value) => figure.style.setProperty("--over", value / 100));
      own.push([figure, input]);
      tools.append(input);
      $(".trio", figure)?.after(tools);
    }
    let timer = 0;
    let held = null;
    const letGo = () => {
      clearTimeout(timer);
      held?.classList.remove("held");
      held = null;
    };
    addEventListener("pointerdown", (event) => {
      const image = event.target.closest?.("svg.pic");
      if (!image || !$(".over", image) || event.button !== 0) return;
      timer = setTimeout(() => {
        held = image.closest(".photo, dialog") ?? image;
        held.classList.add("held");
      }, 220);
    });
    addEventListener("pointerup", (event) => {
      if (held) addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
      setTimeout(letGo);
      if (held) event.preventDefault();
    });
    addEventListener("pointercancel", letGo);
    const typing = (event) => event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input[type=text], textarea");
    addEventListener("keydown", (event) => {
      if (event.key === "b" && !typing(event)) document.documentElement.classList.add("held");
    });
    addEventListener("keyup", (event) => {
      if (event.key === "b") document.documentElement.classList.remove("held");
    });
    addEventListener("blur", () => document.documentElement.classList.remove("held"));
  }
