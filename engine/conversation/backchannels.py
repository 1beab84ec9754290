"""What listeners say without wanting the floor, by language, as recognisers write it: in lower case."""

from __future__ import annotations


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.split(","))


BACKCHANNELS: dict[str, tuple[str, ...]] = {
    "en": _phrases(
        "uh huh, uhhuh, uhuh, mm hm, mhm, mm hmm, mmhmm, hm, hmm, mm, mmm, uh, um, ah, oh, aha, okay, ok, o "
        "k, right, all right, alright, yeah, yep, yup, yes, sure, i see, got it, of course, exactly, really, "
        "great, good, fine, cool, nice, perfect, oh okay, oh yeah, i understand, understood, makes sense, "
        "that's right, very good, wow"
    ),
    "de": _phrases(
        "mhm, hm, hmm, mm, m hm, äh, ähm, ah, aha, oh, ach, ach so, achso, ja, jaja, jo, jep, jawohl, genau, "
        "eben, okay, oke, ok, gut, sehr gut, alles klar, klar, na klar, verstehe, ich verstehe, verstanden, "
        "richtig, stimmt, super, prima, perfekt, schön, in ordnung, natürlich, gern, gerne, passt"
    ),
    "fr": _phrases(
        "mhm, hm, hmm, mm, mmh, hum, euh, ah, oh, oui, ouais, mouais, d'accord, ok, okay, bien, très bien, "
        "voilà, exact, exactement, je vois, je comprends, compris, ah bon, bien sûr, parfait, super, c'est "
        "ça, c'est bon, ça marche, tout à fait, entendu"
    ),
    "es": _phrases(
        "mhm, hm, mm, ajá, aja, aha, eh, ah, oh, sí, si, ya, vale, ok, okay, okey, claro, claro que sí, "
        "bueno, bien, muy bien, está bien, exacto, eso es, así es, entiendo, entendido, comprendo, ya veo, de "
        "acuerdo, perfecto, correcto, cierto, genial, listo, por supuesto"
    ),
    "it": _phrases(
        "mhm, eh, ah, oh, sì, si, ok, okay, va bene, bene, certo, capisco, esatto, giusto, ho capito, "
        "d'accordo, perfetto"
    ),
    "pt": _phrases(
        "mhm, ah, oh, sim, é, ok, okay, certo, tá, tá bom, está bem, bom, claro, entendi, exato, pois, pois é, perfeito"
    ),
    "nl": _phrases("mhm, hm, eh, ah, oh, ja, oké, ok, okay, goed, precies, juist, klopt, ik snap het, prima, zeker"),
    "pl": _phrases("mhm, no, tak, aha, ok, okay, dobrze, jasne, rozumiem, dobra, właśnie"),
}

WRITTEN_FREELY: dict[str, tuple[str, ...]] = {
    "en": _phrases(
        "o, m hm, ya, yah, yea, yeh, kay, okey, okie, righto, got you, gotcha, i know, i get it, for sure, "
        "absolutely, definitely, totally, correct, lovely, excellent, awesome, very well, fair enough, sounds good, "
        "that makes sense"
    )
}
"""Backchannels that recognisers write which know all words. A grammar that had them, too, would only find more sounds
to resemble them."""

HOMOPHONES: dict[str, tuple[str, ...]] = {
    "en": _phrases("write, rite, wright, all write, see, sea, icy, eye see, aye, owe, shore, grate, god it")
}
"""What a recogniser that knows all words writes for a backchannel that it heard well. Other words, too: the sound has
to tell."""

FAREWELLS: dict[str, tuple[str, ...]] = {
    "en": _phrases(
        "bye, bye bye, goodbye, good bye, thank you, thanks, thank you very much, thanks a lot, you too, have "
        "a nice day, have a good day, see you, take care"
    ),
    "de": _phrases(
        "tschüss, tschüs, auf wiederhören, auf wiedersehen, danke, vielen dank, danke schön, ebenfalls, "
        "schönen tag noch"
    ),
    "fr": _phrases("au revoir, merci, merci beaucoup, bonne journée, à bientôt, vous aussi"),
    "es": _phrases("adiós, gracias, muchas gracias, hasta luego, igualmente, buen día"),
    "it": _phrases("arrivederci, ciao, grazie, grazie mille, buona giornata, altrettanto"),
    "pt": _phrases("tchau, adeus, obrigado, obrigada, muito obrigado, bom dia, igualmente"),
    "nl": _phrases("dag, doei, tot ziens, bedankt, dank u, dank je wel, fijne dag"),
    "pl": _phrases("do widzenia, dziękuję, dzięki, pa, wzajemnie, miłego dnia"),
}
