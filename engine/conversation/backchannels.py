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
        "mhm, hm, hmm, mm, äh, ähm, ah, aha, oh, ach so, achso, ja, jaja, genau, okay, ok, gut, alles klar, "
        "klar, verstehe, ich verstehe, richtig, stimmt, super, prima, schön, in ordnung"
    ),
    "fr": _phrases(
        "mhm, hm, hmm, euh, ah, oh, oui, ouais, d'accord, ok, okay, bien, très bien, voilà, exactement, je "
        "vois, ah bon, bien sûr, parfait, super, c'est ça, entendu"
    ),
    "es": _phrases(
        "mhm, ajá, aja, eh, ah, oh, sí, si, ya, vale, ok, okay, claro, bueno, bien, muy bien, exacto, "
        "entiendo, ya veo, de acuerdo, perfecto, correcto, por supuesto"
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
